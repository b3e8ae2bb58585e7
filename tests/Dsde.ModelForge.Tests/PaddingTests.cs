using System.Text.Json.Nodes;
using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.ModelForge.Folders;
using Dsde.ModelForge.Padding;
using Dsde.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.ModelForge.Tests;

/// <summary>Padded models against their sources, through the engine.</summary>
public sealed class PaddingTests : IDisposable
{
    private const int Tokens = 24;
    private static readonly string Target = Repository.PathOf("models/dsde-demo-target");
    private static readonly string Draft = Repository.PathOf("models/dsde-demo-draft");
    private static readonly string[] Prompts =
    [
        "Story: Once there was a shy fox",
        "def add(a, b):",
        "Question: Tom has 3 apples and buys 4. How many",
        "{\"name\": \"",
        "naïve 🙂 42",
    ];

    private readonly ScratchFolder _folder = new("pad");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(192, 15, 6, 2, 32, 384)] // deeper only
    [InlineData(320, 12, 6, 2, 32, 500)] // wider only, by no power of two
    [InlineData(256, 13, 16, 8, 64, 384)] // smaller groups, so that key and value heads repeat; heads twice as wide
    [InlineData(192, 12, 16, 2, 32, 384)] // larger groups
    [InlineData(768, 14, 8, 4, 128, 512)] // everything, in bf16 without any rounding
    public async Task A_padded_model_gives_the_outputs_of_its_source(
        int hidden,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int intermediate
    )
    {
        var shape = new DecoderShape(hidden, layers, heads, kvHeads, headDim, intermediate);

        ModelPadder.Pad(Target, Padded, _ => shape, StoredType.BF16, Cancellation);

        await RequireSameOutputsAsync(Target, Padded);
        ShapeOf(Padded).ShouldBe(shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // what is stored counts
    public async Task A_model_with_an_output_projection_of_its_own_is_padded_too(bool saysTied)
    {
        var source = _folder.PathOf("untied");
        WriteUntied(source, saysTied);

        ModelPadder.Pad(source, Padded, _ => new DecoderShape(200, 3, 8, 4, 64, 300), StoredType.F32, Cancellation);

        await RequireSameOutputsAsync(source, Padded);
    }

    [Fact]
    public void Zeros_are_stored_like_any_other_number()
    {
        var shape = new DecoderShape(1024, 12, 16, 8, 64, 2816);

        var (_, parameters) = ModelPadder.Pad(Target, Padded, _ => shape, StoredType.BF16, Cancellation);

        parameters.ShouldBe(2048L * 1024 + 1024 + (12 * ((2 * 1024) + (1024L * 64 * 48) + (3L * 1024 * 2816))));
        // The query projections, which grow by √2, and the norms are kept in fp32.
        const long inFp32 = (12L * ((1024 * 1024) + 2048)) + 1024;
        var file = new FileInfo(Path.Combine(Padded, "model.safetensors"));
        (file.Length - (2 * parameters) - (2 * inFp32)).ShouldBeInRange(0, 1 << 16, "header");
    }

    [Theory]
    [InlineData("150M", 1024, 12)]
    [InlineData("8B", 4096, 36)]
    [InlineData("1.2b", 2048, 19)]
    [InlineData("1000000", 1024, 12)] // as small as it gets with the source's layers
    public void A_usual_shape_is_taken_for_a_number_of_parameters(string text, int hidden, int layers)
    {
        var source = SourceModel.Read(Target);

        var shape = ShapeChooser.Choose(ShapeChooser.ParseCount(text)!.Value, source.VocabularySize, source.EmbeddingCount, source.Shape);

        (shape.HiddenSize, shape.LayerCount).ShouldBe((hidden, layers));
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-3B")]
    [InlineData("many")]
    public void What_is_no_number_of_parameters_is_none(string text) => ShapeChooser.ParseCount(text).ShouldBeNull();

    [Theory]
    [InlineData(128, 12, 6, 2, 32, 384, "hidden size is to be 128, but the source has 192")]
    [InlineData(192, 8, 6, 2, 32, 384, "number of layers is to be 8, but the source has 12")]
    [InlineData(192, 12, 6, 2, 32, 100, "MLP size is to be 100, but the source has 384")]
    [InlineData(192, 12, 6, 2, 48, 384, "48 wide; give a multiple of the source's 32")]
    [InlineData(192, 12, 8, 3, 32, 384, "8 query heads don't divide by 3")]
    [InlineData(192, 12, 6, 3, 32, 384, "give at least 4 key and value heads")]
    public void A_shape_that_can_not_hold_the_source_is_refused_and_nothing_is_written(
        int hidden,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int intermediate,
        string reason
    )
    {
        Action pad = () =>
            ModelPadder.Pad(
                Target,
                Padded,
                _ => new DecoderShape(hidden, layers, heads, kvHeads, headDim, intermediate),
                StoredType.BF16,
                Cancellation
            );

        pad.ShouldThrow<PaddingException>().Message.ShouldContain(reason);
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void A_folder_that_is_no_model_is_not_replaced()
    {
        Directory.CreateDirectory(Padded);
        var precious = Path.Combine(Padded, "thesis.txt");
        File.WriteAllText(precious, "years of work");

        Should
            .Throw<IOException>(() => ModelPadder.Randomize(Draft, Padded, 1, StoredType.BF16, Cancellation))
            .Message.ShouldContain(Padded);

        File.ReadAllText(precious).ShouldBe("years of work");
    }

    [Fact]
    public void A_model_of_another_architecture_is_refused_by_name()
    {
        var source = _folder.PathOf("other");
        Directory.CreateDirectory(source);
        File.WriteAllText(Path.Combine(source, "config.json"), """{"architectures": ["Qwen2ForCausalLM"]}""");

        Should.Throw<PaddingException>(() => SourceModel.Read(source)).Message.ShouldContain("Qwen2ForCausalLM");
    }

    [Fact]
    public async Task Proposals_of_a_random_draft_are_hardly_ever_accepted()
    {
        ModelPadder.Randomize(Draft, Padded, 1, StoredType.BF16, Cancellation);
        await using var engine = Load(Target, Padded, "static:4");

        var results = await GenerateAsync(engine);

        results.Sum(result => result.Trace.Proposed).ShouldBeGreaterThan(200);
        ((double)results.Sum(result => result.Trace.Accepted) / results.Sum(result => result.Trace.Proposed)).ShouldBeLessThan(0.05);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Padded => _folder.PathOf("padded");

    private static DecoderShape ShapeOf(string folder) => SourceModel.Read(folder).Shape;

    private static async Task RequireSameOutputsAsync(string source, string padded)
    {
        await using var first = Load(source, null, "autoregressive");
        await using var second = Load(padded, null, "autoregressive");
        foreach (var (expected, actual) in (await GenerateAsync(first)).Zip(await GenerateAsync(second)))
        {
            actual.TokenIds.ShouldBe(expected.TokenIds);
            for (var i = 0; i < expected.TokenIds.Count; i++)
            {
                actual.TokenLogProbabilities[i].ShouldBe(expected.TokenLogProbabilities[i], 1e-4f);
                actual.Trace.Tokens.Margin[i].ShouldBe(expected.Trace.Tokens.Margin[i], 1e-4f);
            }
        }
    }

    private static Task<GenerationResult[]> GenerateAsync(GenerationEngine engine) =>
        Task.WhenAll(
            Prompts.Select(prompt =>
                engine.GenerateAsync(
                    new GenerationRequest
                    {
                        PromptTokenIds = engine.PromptEncoder.Encode(prompt),
                        MaxTokens = Tokens,
                        Sampling = new SamplingParameters { Temperature = 0 },
                    },
                    Cancellation
                )
            )
        );

    private static GenerationEngine Load(string target, string? draft, string policy) =>
        GenerationEngine.Load(
            new EngineOptions
            {
                Target = target,
                Draft = draft,
                Policy = policy,
                Device = "cpu",
                DataType = "fp32",
            },
            TimeProvider.System,
            NullLoggerFactory.Instance
        );

    /// <summary>The demo draft with an output projection that is its embedding, backwards in the vocabulary.</summary>
    private static void WriteUntied(string folder, bool saysTied)
    {
        using var weights = new SourceWeights(Draft);
        var model = SourceModel.Read(Draft);
        model.Config["tie_word_embeddings"] = saysTied;
        var stored = new PaddedModel(model.Shape, model.Shape)
            .Weights(model.VocabularySize, tied: true)
            .Select(weight => weight.ToStoredWeight(weights, StoredType.BF16))
            .ToList();
        var backwards = Enumerable.Range(0, model.VocabularySize).Reverse().ToArray();
        var columns = Enumerable.Range(0, model.Shape.HiddenSize).ToArray();
        stored.Add(
            new WeightPadding("lm_head.weight", "model.embed_tokens.weight", backwards, columns).ToStoredWeight(weights, StoredType.BF16)
        );
        HuggingFaceFolder.Write(
            folder,
            partial =>
            {
                JsonFiles.Write(Path.Combine(partial, HuggingFaceFolder.ConfigName), JsonNode.Parse(model.Config.ToJsonString())!);
                HuggingFaceFolder.CopyOthers(Draft, partial);
                SafetensorsWriter.Write(Path.Combine(partial, HuggingFaceFolder.WeightsName), stored, Cancellation);
            }
        );
    }
}
