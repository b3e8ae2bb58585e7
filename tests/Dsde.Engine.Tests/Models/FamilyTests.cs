using Dsde.Engine.Tests.Generation;
using Dsde.Engine.Tests.Models.Reference;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Models;

/// <summary>Every family against the same model written out plainly, on texts that reach far past its windows.</summary>
public sealed class FamilyTests : IDisposable
{
    private const double Tolerance = 1e-4;
    private static readonly int[] EndTokens = [TestModelFolder.TurnEnd, TestModelFolder.TextEnd];
    private static readonly int[] Text = [.. Enumerable.Range(0, 40).Select(i => ((i * 89) + (i * i * 7) + 5) % 290)];

    private readonly ScratchFolder _folder = new("family");

    public static TheoryData<string> Families => FamilyShapes.Names;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void Logits_are_those_of_the_model_written_out(string family)
    {
        var shape = FamilyShapes.Find(family);
        using var mode = torch.inference_mode();
        using var decoder = DecoderUnderTest.Load(_folder.Path, shape);

        ShouldBeClose(decoder.Run((0, 0, Text)), new ReferenceDecoder(shape).AllLogits(Text));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void In_portions_and_among_other_rows_logits_stay_the_same(string family)
    {
        var shape = FamilyShapes.Find(family);
        using var mode = torch.inference_mode();
        using var decoder = DecoderUnderTest.Load(_folder.Path, shape);
        var expected = new ReferenceDecoder(shape).AllLogits(Text);
        var other = Text.Reverse().ToArray();
        var expectedOfOther = new ReferenceDecoder(shape).AllLogits(other);

        var first = decoder.Run((1, 0, Text[..11]), (3, 0, other[..3]));
        var second = decoder.Run((1, 11, Text[11..12]), (3, 3, other[3..33]));
        var third = decoder.Run((3, 33, other[33..34]), (1, 12, Text[12..17]));
        var fourth = decoder.Run((1, 17, Text[17..]));

        ShouldBeClose([.. first[..11], .. second[..1], .. third[1..], .. fourth], expected);
        ShouldBeClose([.. first[11..], .. second[1..], .. third[..1]], expectedOfOther[..34]);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Greedy_outputs_of_the_engine_are_those_of_the_model_written_out(string family)
    {
        var shape = FamilyShapes.Find(family);
        var (target, draft) = (_folder.PathOf("target"), _folder.PathOf("draft"));
        TestModelFolder.Write(target, shape);
        TestModelFolder.Write(draft, shape with { Layers = 2 });
        await using var engine = EngineUnderTest.Load(target, draft, "static:3", batchSize: 3, options => options.PrefillTokenBudget = 13);
        var prompts = EngineUnderTest.Prompts(5);

        var results = await engine.GenerateAllAsync(prompts.Select(prompt => EngineUnderTest.Greedy(prompt, 48)));

        foreach (var (result, prompt) in results.Zip(prompts))
        {
            result.TokenIds.ShouldBe(Continue(shape, prompt, 48));
        }

        results.Max(result => result.TokenIds.Count).ShouldBe(48);
        results.Sum(result => result.Trace.Proposed).ShouldBeGreaterThan(results.Sum(result => result.Trace.Accepted));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Bf16_logits_are_near_those_of_the_model_written_out(string family)
    {
        var shape = FamilyShapes.Find(family) with { StoredAs = "BF16" };
        using var mode = torch.inference_mode();
        using var decoder = DecoderUnderTest.Load(_folder.Path, shape, torch.ScalarType.BFloat16);
        var expected = new ReferenceDecoder(shape).AllLogits(Text);

        decoder
            .Run((0, 0, Text))
            .Zip(expected, (a, b) => a.DistanceTo(b))
            .Average()
            .ShouldBeLessThan(0.04 * expected.Max(row => row.Max(Math.Abs)));
    }

    [Theory]
    [InlineData("BF16")]
    [InlineData("F16")]
    public void Narrow_weights_are_widened_exactly(string storedAs)
    {
        var shape = FamilyShapes.Find("gemma 2") with { StoredAs = storedAs };
        using var mode = torch.inference_mode();
        using var decoder = DecoderUnderTest.Load(_folder.Path, shape);

        ShouldBeClose(decoder.Run((0, 0, Text)), new ReferenceDecoder(shape).AllLogits(Text));
    }

    /// <summary>Greedy continuation, the ending token included.</summary>
    private static List<int> Continue(TestModelShape shape, int[] prompt, int count)
    {
        var decoder = new ReferenceDecoder(shape);
        var logits = prompt.Select(decoder.Next).ToArray()[^1];
        var output = new List<int>();
        while (output.Count < count && !output.Intersect(EndTokens).Any())
        {
            output.Add(logits.Index().MaxBy(logit => logit.Item).Index);
            logits = decoder.Next(output[^1]);
        }

        return output;
    }

    private static void ShouldBeClose(List<double[]> actual, double[][] expected)
    {
        actual.Count.ShouldBe(expected.Length);
        actual.Zip(expected, (a, b) => a.DistanceTo(b)).Max().ShouldBeLessThan(Tolerance);
    }
}
