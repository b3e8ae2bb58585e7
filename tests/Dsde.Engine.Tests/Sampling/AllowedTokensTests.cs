using Dsde.Engine.Sampling;
using Dsde.Engine.Torch;
using Dsde.Grammars;
using Dsde.Grammars.Tokens;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Sampling;

public sealed class AllowedTokensTests
{
    private const int Vocabulary = 1000 + 37; // no multiple of a word or a vector

    [Fact]
    public void Tokens_that_are_not_allowed_are_ruled_out_and_the_others_left_as_they_are_on_any_device()
    {
        using var scope = NewDisposeScope();
        // Every id is a text of its own: a digit for each of its digits.
        var vocabulary = new TokenVocabulary([
            .. Enumerable.Range(0, Vocabulary).Select(id => System.Text.Encoding.ASCII.GetBytes($"{id:0000}")),
        ]);
        TokenSet?[] allowed =
        [
            Allowed(vocabulary, "\\d\\d[1-5]\\d"),
            null,
            Allowed(vocabulary, "103[0-9]|0007"),
            Allowed(vocabulary, "\\d{4}"),
            Allowed(vocabulary, "0[0-3]\\d7"),
        ];
        allowed.Select(set => set?.IsFew).ShouldBe([false, null, true, false, true]);
        var logits = randn([allowed.Length, Vocabulary], generator: new Generator(4));

        var (host, device) = (AllowedTokens.Apply(logits, allowed), AllowedTokens.ApplyOnDevice(logits, allowed));

        float[] temperatures = [0f, 1f, 0.7f, 1e-5f, 2f]; // each row gets each
        NoiseKey?[] keys = [NoiseKey.Of(5, 1), NoiseKey.Of(5, 2), NoiseKey.Of(5, 3), null, NoiseKey.Of(5, 4)];
        foreach (var noise in (RowNoise?[])[null, RowNoise.Create(keys, Vocabulary, CPU)])
        {
            for (var turn = 0; turn < temperatures.Length; turn++)
            {
                var rows = Rows([.. temperatures[turn..], .. temperatures[..turn]]);
                var (best, margins) = BestTokens.Find(logits, noise, allowed, rows);
                var scores = (host - (host.amax([-1], keepdim: true) * rows.IsScaled!)) * rows.InverseTemperature!;
                var perturbed = noise is null ? scores : scores.Plus(TestNoise.Create(keys, Vocabulary));
                best.equal(perturbed.argmax(-1)).all().item<bool>().ShouldBeTrue();
                margins.allclose(TokenMeasures.Margin(perturbed)).ShouldBeTrue();
            }
        }

        host.equal(device).all().item<bool>().ShouldBeTrue();
        for (var row = 0; row < allowed.Length; row++)
        {
            var (before, after) = (logits[row].data<float>().ToArray(), host[row].data<float>().ToArray());
            for (var id = 0; id < Vocabulary; id++)
            {
                after[id].ShouldBe(allowed[row]?.Contains(id) == false ? float.NegativeInfinity : before[id]);
            }
        }
    }

    private static SamplingRows Rows(float[] temperatures) =>
        SamplingRows.Create(
            [.. temperatures.Select(temperature => new SamplingParameters { Temperature = temperature, Mode = SamplingMode.Coupled })],
            Vocabulary,
            CPU
        );

    private static TokenSet Allowed(TokenVocabulary vocabulary, string expression)
    {
        var grammar = new TokenGrammar(Grammar.Compile(new GrammarDefinition(GrammarKind.Regex, expression)), vocabulary, []);
        return grammar.Allowed(grammar.Start);
    }
}
