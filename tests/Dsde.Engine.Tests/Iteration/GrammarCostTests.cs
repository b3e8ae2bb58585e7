using System.Diagnostics;
using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Batching;
using Dsde.Grammars;
using Dsde.Grammars.Tokens;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Iteration;

/// <summary>
/// What grammars cost an iteration of eight sequences. With DSDE_SLOW_TESTS=1 a model of 45 million parameters with a vocabulary of
/// 128,000 tokens runs, and the numbers are those of docs/structured-output.md; else a small one, whose numbers mean nothing.
/// </summary>
public sealed class GrammarCostTests(ITestOutputHelper output)
{
    private const int Batch = 8;
    private const int Tokens = 60;
    private static readonly bool IsSlow = Environment.GetEnvironmentVariable("DSDE_SLOW_TESTS") == "1";

    private const string Schema = """
        {"type":"object","properties":{
        "name":{"type":"string","maxLength":40},"category":{"enum":["invoice","order","complaint","question","other"]},
        "score":{"type":"number","minimum":0,"maximum":1},"urgent":{"type":"boolean"},
        "tags":{"type":"array","items":{"type":"string"},"maxItems":3},
        "summary":{"type":"string","minLength":400,"maxLength":4000}},
        "required":["name","category","score","urgent","tags","summary"]}
        """;

    [Theory]
    [InlineData("autoregressive", 0f)]
    [InlineData("autoregressive", 0.8f)]
    [InlineData("static:3", 0f)]
    [InlineData("static:3", 0.8f)]
    public void Grammars_cost_a_small_part_of_an_iteration(string policy, float temperature)
    {
        using var folder = new ScratchFolder("models");
        var shape = IsSlow
            ? new TestModelShape
            {
                Vocabulary = 128_000,
                Hidden = 256,
                Layers = 6,
                Heads = 4,
                KvHeads = 2,
                HeadDim = 64,
                Intermediate = 1024,
                Tied = true,
                StoredAs = "BF16",
                Context = 512,
            }
            : new TestModelShape
            {
                Vocabulary = 3000,
                Tied = true,
                Context = 512,
            };
        var (target, draft) = (folder.PathOf("target"), folder.PathOf("draft"));
        TestModelFolder.Write(target, shape);
        TestModelFolder.Write(draft, shape with { Layers = 1 });
        LargeTokenizer.Write(target, shape.Vocabulary);
        LargeTokenizer.Write(draft, shape.Vocabulary);
        using var loop = new LoopUnderTest(
            target,
            draft,
            batchSize: Batch,
            policy: policy,
            change: options =>
            {
                options.Threads = IsSlow ? 2 : 1;
                options.DataType = IsSlow ? "bf16" : "fp32";
            }
        );
        var grammar = Grammar.Compile(new GrammarDefinition(GrammarKind.JsonSchema, Schema));
        Time(loop, null, temperature, 0); // warm
        var cold = Time(loop, grammar, temperature, 1);
        var (free, held) = (new List<double>(), new List<double>());
        for (var round = 0; round < (IsSlow ? 4 : 1); round++)
        {
            free.AddRange(Time(loop, null, temperature, 2 + round));
            held.AddRange(Time(loop, grammar, temperature, 2 + round));
        }

        var (without, with) = (Low(free), Low(held));
        output.WriteLine(
            $"{policy}, temperature {temperature}: iterations {without:F2} ms without, {with:F2} ms with a grammar "
                + $"({100 * ((with / without) - 1):F1} %; the tenth that took least); "
                + $"the first batch took {cold.Sum() - (cold.Count * Median(held)):F0} ms more than so many later iterations"
        );
        free.Count.ShouldBeGreaterThan(5);
        held.Count.ShouldBeGreaterThan(5);
    }

    /// <summary>What the first jobs of a schema pay: eight outputs of 60 tokens, each drawn from what is allowed.</summary>
    [Fact]
    public void What_is_allowed_is_found_once()
    {
        var tokens = LargeTokenizer.MakeTokens(IsSlow ? 128_000 : 3000);
        var start = Stopwatch.GetTimestamp();
        var vocabulary = new TokenVocabulary(tokens);
        var vocabularyMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        var grammar = new TokenGrammar(Grammar.Compile(new GrammarDefinition(GrammarKind.JsonSchema, Schema)), vocabulary, []);

        var (first, found) = Walk();
        var (second, foundAgain) = Walk();

        output.WriteLine(
            $"The tree of {tokens.Count} tokens took {vocabularyMs:F0} ms; what is allowed {first:F0} ms to find at {found.Count} places, "
                + $"and {second:F0} ms to find again"
        );
        found.Zip(foundAgain).ShouldAllBe(pair => ReferenceEquals(pair.First, pair.Second));

        (double Ms, List<TokenSet> Sets) Walk()
        {
            var (ms, sets) = (0d, new List<TokenSet>());
            for (var sequence = 0; sequence < Batch; sequence++)
            {
                var (random, state) = (new Random(sequence), grammar.Start);
                for (var place = 0; place < Tokens && !state.IsComplete; place++)
                {
                    var begin = Stopwatch.GetTimestamp();
                    sets.Add(grammar.Allowed(state));
                    ms += Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
                    int id;
                    do
                    {
                        id = sets[^1].IsFew ? sets[^1].Ids[random.Next(sets[^1].Count)] : random.Next(tokens.Count);
                    } while (!sets[^1].Contains(id));

                    state = grammar.Advance(state, id).ShouldNotBeNull();
                }
            }

            return (ms, sets);
        }
    }

    /// <summary>Milliseconds of each round in which the whole batch decodes.</summary>
    private static List<double> Time(LoopUnderTest loop, Grammar? grammar, float temperature, int round)
    {
        var sequences = Enumerable
            .Range(0, Batch)
            .Select(i =>
                loop.Add(
                    new GenerationRequest
                    {
                        PromptTokenIds = [.. Enumerable.Range(0, 12).Select(place => (round * 37) + (i * 11) + place + 1)],
                        MaxTokens = Tokens,
                        Grammar = grammar,
                        Sampling = new SamplingParameters
                        {
                            Temperature = temperature,
                            Mode = SamplingMode.Coupled,
                            Seed = (ulong)((round * 100) + i),
                        },
                    }
                )
            )
            .ToList();
        loop.Step(); // the prompts
        var times = new List<double>();
        while (sequences.TrueForAll(sequence => !sequence.IsOver))
        {
            var start = Stopwatch.GetTimestamp();
            loop.Step();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        loop.RunToEnd();
        return times;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>Below a tenth of the values: other programs make the rest longer.</summary>
    private static double Low(List<double> values) => values.Order().ElementAt(values.Count / 10);
}
