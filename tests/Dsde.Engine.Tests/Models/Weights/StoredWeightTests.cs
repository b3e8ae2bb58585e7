using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Dsde.Engine.Loading;
using Dsde.Engine.Models;
using Dsde.Engine.Tests.Generation;
using Dsde.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;

namespace Dsde.Engine.Tests.Models.Weights;

/// <summary>Every stored weight is used, or refused by its name; what is computed anyway may be stored besides.</summary>
public sealed class StoredWeightTests : IDisposable
{
    private const string Embedding = "model.embed_tokens.weight";
    private const string Head = "lm_head.weight";
    private const string Frequencies = "model.layers.1.self_attn.rotary_emb.inv_freq";

    private static readonly TestModelShape Shape = new();
    private static readonly int[] Prompt = [3, 1, 4, 1, 5];

    private readonly ScratchFolder _folder = new("stored");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Another_output_than_the_embedding_is_used_although_the_two_are_called_tied()
    {
        Write(Shape);
        var expected = await TokensAsync();

        Edit("config.json", config => config["tie_word_embeddings"] = true);

        (await TokensAsync()).ShouldBe(expected);
        using var decoder = DecoderUnderTest.LoadWritten(_folder.Path);
        (await WarningsAsync()).ShouldHaveSingleItem().ShouldContain("\"tie_word_embeddings\", but lm_head.weight is stored and differs");
        ModelDescription.Read(_folder.Path).HasTiedEmbeddings.ShouldBeFalse();
    }

    [Theory]
    [InlineData("F32", torch.ScalarType.Float32)]
    [InlineData("BF16", torch.ScalarType.Float32)]
    [InlineData("F32", torch.ScalarType.BFloat16)]
    public async Task An_output_that_is_the_embedding_once_more_is_no_oddity(string storedAs, torch.ScalarType type)
    {
        var tied = Shape with { Tied = true, StoredAs = storedAs };
        Write(tied);
        var expected = await TokensAsync();
        var logits = Logits(type);

        Write(tied with { Extra = [(Head, [Shape.Vocabulary, Shape.Hidden])], Copy = (Head, Embedding) });

        (await TokensAsync()).ShouldBe(expected);
        Logits(type).ShouldBe(logits);
        (await WarningsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("BF16", torch.ScalarType.BFloat16, 1)]
    [InlineData("BF16", torch.ScalarType.Float32, 3)]
    [InlineData("F16", torch.ScalarType.Float32, 1)]
    [InlineData("F32", torch.ScalarType.Float32, 1)]
    [InlineData("F32", torch.ScalarType.BFloat16, 2)]
    public void Weights_may_begin_at_any_byte(string storedAs, torch.ScalarType type, int shift)
    {
        Write(Shape with { StoredAs = storedAs });
        var expected = Logits(type);

        Shift("model.safetensors", shift);

        Logits(type).ShouldBe(expected);
    }

    [Theory]
    [InlineData("model.layers.2.self_attn.q_proj.bias", 32)]
    [InlineData("model.layers.0.mlp.down_proj.bias", 32)]
    [InlineData("model.layers.1.self_attn.q_norm.weight", 8)]
    [InlineData("model.layers.3.input_layernorm.weight", 32)]
    [InlineData("lm_head.bias", 300)]
    [InlineData("model.embed_positions.weight", 128)]
    [InlineData("model.layers.1.self_attn.rotary_emb.proj.weight", 4)]
    public void A_weight_that_the_configuration_does_not_know_is_refused_by_name(string name, int length)
    {
        Write(Shape with { Extra = [(name, [length])] });

        Should.Throw<ModelLoadException>(() => DecoderUnderTest.LoadWritten(_folder.Path)).Message.ShouldContain(name);
        Should.Throw<ModelLoadException>(() => ModelDescription.Read(_folder.Path)).Message.ShouldContain(name);
    }

    [Theory]
    [InlineData("model.embed_tokens.weight")]
    [InlineData("model.norm.weight")]
    [InlineData("lm_head.weight")]
    [InlineData("model.layers.1.mlp.up_proj.weight")]
    [InlineData("model.layers.2.post_attention_layernorm.weight")]
    public void A_weight_that_is_not_there_is_missed_by_its_name_without_loading(string name)
    {
        Write(Shape);
        Rename("model.safetensors", name);

        Should.Throw<ModelLoadException>(() => ModelDescription.Read(_folder.Path)).Message.ShouldContain($"has no weight {name}");
    }

    [Fact]
    public void A_draft_that_does_not_fit_its_configuration_is_refused_before_the_targets_weights_are_read()
    {
        Write(
            Shape with
            {
                Given = new Dictionary<string, float[]> { ["model.norm.weight"] = [.. Enumerable.Repeat(float.NaN, Shape.Hidden)] },
            }
        );
        using var draft = new ScratchFolder("stored-draft");
        TestModelFolder.Write(draft.Path, Shape with { Misshapen = "model.layers.1.mlp.up_proj.weight" });

        Should
            .Throw<ModelLoadException>(() =>
                GenerationEngine.Load(
                    new EngineOptions
                    {
                        Target = _folder.Path,
                        Draft = draft.Path,
                        Device = "cpu",
                    },
                    TimeProvider.System,
                    NullLoggerFactory.Instance
                )
            )
            .Message.ShouldStartWith($"{draft.PathOf("model.safetensors")}: model.layers.1.mlp.up_proj.weight has shape");
    }

    [Fact]
    public async Task Tables_of_the_rotary_embedding_are_not_needed_and_no_oddity()
    {
        Write(Shape);
        var expected = await TokensAsync();

        Write(
            Shape with
            {
                Extra =
                [
                    (Frequencies, [4]),
                    ("model.layers.0.self_attn.rotary_emb.cos_cached", [1, 1, 16, 8]),
                    ("model.layers.0.self_attn.rotary_emb.sin_cached", [1, 1, 16, 8]),
                    ("model.rotary_emb.original_inv_freq", [4]),
                ],
                Given = new Dictionary<string, float[]>
                {
                    [Frequencies] = [1f, 0.1f, 0.01f, 0.001003f], // as bf16 keeps 0.001
                    ["model.rotary_emb.original_inv_freq"] = [1f, 0.1f, 0.01f, 0.001f],
                },
            }
        );

        (await TokensAsync()).ShouldBe(expected);
        (await WarningsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0.03f)]
    [InlineData(float.NaN)] // nothing is computed with them
    public async Task Rotary_frequencies_of_another_model_are_told(float second)
    {
        Write(
            Shape with
            {
                Extra = [(Frequencies, [4])],
                Given = new Dictionary<string, float[]> { [Frequencies] = [1f, second, 0.001f, 0.00003f] },
            }
        );

        (await WarningsAsync()).ShouldHaveSingleItem().ShouldContain($"{Frequencies} is not what config.json makes");
    }

    [Fact]
    public async Task A_weight_that_the_index_does_not_list_is_used_where_it_lies()
    {
        Write(Shape with { Shards = 2 });
        var expected = await TokensAsync();

        Edit("model.safetensors.index.json", index => index["weight_map"]!.AsObject().Remove("model.norm.weight").ShouldBeTrue());

        (await TokensAsync()).ShouldBe(expected);
    }

    [Fact]
    public void A_weight_that_no_index_lists_and_no_configuration_knows_is_refused()
    {
        Write(Shape with { Shards = 2, Extra = [("model.adapter.weight", [4])] });
        Edit("model.safetensors.index.json", index => index["weight_map"]!.AsObject().Remove("model.adapter.weight").ShouldBeTrue());

        Should.Throw<ModelLoadException>(() => DecoderUnderTest.LoadWritten(_folder.Path)).Message.ShouldContain("model.adapter.weight");
    }

    [Fact]
    public void Two_weights_of_one_name_are_refused_with_both_files()
    {
        Write(Shape);
        File.Move(_folder.PathOf("model.safetensors"), _folder.PathOf("a.safetensors"));
        File.Copy(_folder.PathOf("a.safetensors"), _folder.PathOf("b.safetensors"));
        TestModelFolder.WriteJson(
            _folder.Path,
            "model.safetensors.index.json",
            new
            {
                weight_map = Shape
                    .Weights()
                    .ToDictionary(weight => weight.Name, weight => weight.Name == Head ? "b.safetensors" : "a.safetensors"),
            }
        );

        var message = Should.Throw<ModelLoadException>(() => ModelFolder.Open(_folder.Path)).Message;

        message.ShouldContain("a.safetensors");
        message.ShouldContain("b.safetensors");
    }

    private void Write(TestModelShape shape) => TestModelFolder.Write(_folder.Path, shape);

    /// <summary>Makes the header longer by blanks, as its writer may have left it.</summary>
    private void Shift(string file, int bytes)
    {
        var content = File.ReadAllBytes(_folder.PathOf(file)).AsSpan();
        var end = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(content);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, end - 8 + bytes);
        File.WriteAllBytes(
            _folder.PathOf(file),
            [.. length, .. content[8..end], .. Enumerable.Repeat((byte)' ', bytes), .. content[end..]]
        );
    }

    /// <summary>Gives a weight another name, of the same length.</summary>
    private void Rename(string file, string name)
    {
        var content = File.ReadAllBytes(_folder.PathOf(file));
        var place = content.AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"{name}\""));
        place.ShouldBePositive();
        content[place + 1] = (byte)'x';
        File.WriteAllBytes(_folder.PathOf(file), content);
    }

    private void Edit(string file, Action<JsonObject> change)
    {
        var path = _folder.PathOf(file);
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    private List<double[]> Logits(torch.ScalarType type)
    {
        using var decoder = DecoderUnderTest.LoadWritten(_folder.Path, type);
        return decoder.Run((0, 0, Prompt));
    }

    private async Task<IReadOnlyList<int>> TokensAsync()
    {
        await using var engine = EngineUnderTest.Load(_folder.Path, null, "autoregressive");
        return (await engine.GenerateAllAsync([EngineUnderTest.Greedy(Prompt, 20)]))[0].TokenIds;
    }

    private async Task<IReadOnlyList<string>> WarningsAsync()
    {
        await using var engine = EngineUnderTest.Load(_folder.Path, null, "autoregressive");
        return engine.Description.Warnings;
    }
}
