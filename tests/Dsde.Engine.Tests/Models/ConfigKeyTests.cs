using System.Text.Json;
using System.Text.Json.Nodes;
using Dsde.Engine.Models;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Models;

/// <summary>
/// Walks over the table of docs/models.md: what is said there of each key of <c>config.json</c> in each family, absent, null and set, is
/// what the reader does.
/// </summary>
public sealed class ConfigKeyTests : IDisposable
{
    private const string NotOfTheFamily = "·";
    private static readonly List<(string Key, string[] Cells)> Rows = [.. ReadTable()];
    private static readonly string[] Families = Enum.GetNames<TestFamily>();

    /// <summary>A value that is none of the defaults, for each key; and one that is refused where only some are done.</summary>
    private static readonly Dictionary<string, string> OtherValues = new()
    {
        ["vocab_size"] = "1234",
        ["hidden_size"] = "4160",
        ["intermediate_size"] = "1000.0",
        ["num_hidden_layers"] = "3e0",
        ["num_attention_heads"] = "64",
        ["num_key_value_heads"] = "2",
        ["head_dim"] = "80",
        ["max_position_embeddings"] = "777",
        ["rms_norm_eps"] = "0.25",
        ["rope_theta"] = "1e6",
        ["rope_scaling"] = """{"type":"linear","factor":2}""",
        ["rope_parameters"] = """{"rope_type":"default","rope_theta":500}""",
        ["partial_rotary_factor"] = "0.5",
        ["attention_bias"] = "true",
        ["mlp_bias"] = "true",
        ["hidden_act"] = "\"gelu\"",
        ["hidden_activation"] = "\"relu\"",
        ["sliding_window"] = "99",
        ["use_sliding_window"] = "true",
        ["max_window_layers"] = "5",
        ["use_mrope"] = "true",
        ["query_pre_attn_scalar"] = "100",
        ["attn_logit_softcapping"] = "7",
        ["final_logit_softcapping"] = "8.5",
        ["use_bidirectional_attention"] = "true",
        ["eos_token_id"] = "[5, 6.0]",
        ["quantization_config"] = """{"quant_method":"awq"}""",
        ["compression_config"] = """{"format":"int-quantized"}""",
        ["torch_dtype"] = "\"float8\"",
        ["dtype"] = "\"float8\"",
    };

    /// <summary>What Hugging Face's configuration classes take, besides what every configuration has.</summary>
    private static readonly string[] Common =
    [
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
        "max_position_embeddings",
        "initializer_range",
        "rms_norm_eps",
        "use_cache",
        "pad_token_id",
        "bos_token_id",
        "eos_token_id",
        "tie_word_embeddings",
        "rope_theta",
        "rope_scaling",
        "rope_parameters",
        "attention_dropout",
    ];

    private readonly ScratchFolder _folder = new("keys");

    public static TheoryData<string, TestFamily> Cells()
    {
        var cells = new TheoryData<string, TestFamily>();
        foreach (var (key, _) in Rows)
        {
            foreach (var family in Enum.GetValues<TestFamily>())
            {
                cells.Add(key, family);
            }
        }

        return cells;
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_key_means_what_the_table_says(string key, TestFamily family)
    {
        var cells = Rows.Single(row => row.Key == key).Cells;
        var (absent, whenNull, whenSet) = (cells[(int)family], cells[^2], cells[^1]);
        var byDefault = Read(family);
        byDefault.ShouldNotStartWith("refused");

        if (ValueOf(absent, family) is { } said)
        {
            Read(family, (key, said)).ShouldBe(byDefault, $"{key} absent is {said}");
        }

        if (absent != NotOfTheFamily)
        {
            Read(family, (key, "null"))
                .ShouldBe(
                    whenNull == "as absent" ? byDefault : Read(family, (key, ValueOf(whenNull, family) ?? "null")),
                    $"{key} null is {whenNull}"
                );
        }

        var other = Read(family, (key, OtherValueOf(key, family)));
        if (whenSet.StartsWith("refused", StringComparison.Ordinal))
        {
            ShouldBeRefused(other, key);
        }
        else if (absent == NotOfTheFamily || whenSet.StartsWith("ignored", StringComparison.Ordinal))
        {
            other.ShouldBe(byDefault, $"{key} set is ignored");
        }
        else if (whenSet.StartsWith("only", StringComparison.Ordinal))
        {
            ShouldBeRefused(other, key);
        }
        else
        {
            whenSet.ShouldStartWith("used");
            Switched(family, key, OtherValueOf(key, family)).ShouldNotBe(Switched(family, key, null), $"{key} set is used");
        }

        if (absent != NotOfTheFamily && !whenSet.StartsWith("ignored", StringComparison.Ordinal))
        {
            ShouldBeRefused(Switched(family, key, "\"nonsense\""), key);
        }
    }

    [Fact]
    public void Every_key_of_the_configuration_classes_is_in_the_table()
    {
        string[][] own =
        [
            ["hidden_act", "attention_bias", "mlp_bias", "pretraining_tp"],
            ["hidden_act", "sliding_window"],
            ["hidden_act", "use_sliding_window", "sliding_window", "max_window_layers", "layer_types"],
            ["hidden_act", "attention_bias", "use_sliding_window", "sliding_window", "max_window_layers", "layer_types"],
            [
                "hidden_activation",
                "attention_bias",
                "query_pre_attn_scalar",
                "sliding_window",
                "layer_types",
                "final_logit_softcapping",
                "attn_logit_softcapping",
                "use_bidirectional_attention",
            ],
        ];

        own.Length.ShouldBe(Families.Length);
        Common.Concat(own.SelectMany(keys => keys)).Except(Rows.Select(row => row.Key)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("null")]
    [InlineData("[]")]
    public void A_model_type_names_the_family_where_no_architecture_does(string? architectures)
    {
        foreach (var family in Enum.GetValues<TestFamily>())
        {
            var config = new JsonObject { ["model_type"] = TypeOf(family) };
            if (architectures is not null)
            {
                config["architectures"] = JsonNode.Parse(architectures);
            }

            Read(config).ShouldBe(Read(family));
        }
    }

    [Fact]
    public void Two_families_in_one_file_are_refused_with_both_names() =>
        Read(new JsonObject { ["architectures"] = new JsonArray("LlamaForCausalLM"), ["model_type"] = "mistral" })
            .ShouldStartWith("refused \"architectures\" names Llama, \"model_type\" Mistral");

    [Fact]
    public void A_model_type_that_is_not_covered_is_answered_with_those_that_are() =>
        Read(new JsonObject { ["model_type"] = "mamba" }).ShouldStartWith("refused \"model_type\" is \"mamba\"; supported: \"llama\"");

    [Theory]
    [InlineData("12.5")]
    [InlineData("1e400")]
    [InlineData("4294967296.0")]
    [InlineData("-3.0")]
    [InlineData("\"12\"")]
    [InlineData("true")]
    public void What_is_no_whole_number_is_refused_by_name(string value) =>
        Read(TestFamily.Llama, ("num_hidden_layers", value)).ShouldStartWith("refused \"num_hidden_layers\"");

    [Fact]
    public void Rotary_settings_of_each_kind_of_layer_are_refused() =>
        Read(TestFamily.Gemma2, ("rope_parameters", """{"full_attention":{"rope_theta":1e6},"sliding_attention":{"rope_theta":1e4}}"""))
            .ShouldStartWith("refused \"rope_parameters\"");

    [Fact]
    public void A_part_of_a_head_that_rotates_is_refused_wherever_it_stands() =>
        Read(TestFamily.Llama, ("rope_parameters", """{"rope_type":"default","partial_rotary_factor":0.5}"""))
            .ShouldStartWith("refused \"partial_rotary_factor\"");

    [Theory]
    [InlineData("quantization_config")]
    [InlineData("compression_config")]
    public void A_quantised_model_is_refused_with_the_name_of_its_method(string key) =>
        Read(TestFamily.Llama, (key, """{"quant_method":"compressed-tensors","format":"int-quantized"}"""))
            .ShouldStartWith($"refused \"{key}\" says that the weights are quantized by compressed-tensors");

    private static void ShouldBeRefused(string outcome, string key)
    {
        outcome.ShouldStartWith("refused");
        outcome.ShouldContain($"\"{key}\"");
    }

    private static string TypeOf(TestFamily family) => family.ToString().ToLowerInvariant();

    private static string OtherValueOf(string key, TestFamily family) =>
        key switch
        {
            "tie_word_embeddings" => family == TestFamily.Gemma2 ? "false" : "true",
            "layer_types" => $"[{string.Join(",", Enumerable.Repeat("\"full_attention\"", family == TestFamily.Gemma2 ? 26 : 32))}]",
            _ => OtherValues.GetValueOrDefault(key, "7"),
        };

    /// <summary>A cell's value in JSON; null if it is told in words that no value of the key says.</summary>
    private static string? ValueOf(string cell, TestFamily family) =>
        cell switch
        {
            ['`', .. var value, '`'] => value,
            "as many as query heads" => family == TestFamily.Gemma2 ? "8" : "32",
            "hidden size over heads" => family == TestFamily.Gemma2 ? "288" : "128",
            _ => null,
        };

    /// <summary>What becomes of a value; Qwen's windows count only where they are switched on.</summary>
    private string Switched(TestFamily family, string key, string? value) =>
        Read(
            family,
            [
                .. family is TestFamily.Qwen2 or TestFamily.Qwen3 && key != "use_sliding_window"
                    ? new[] { ("use_sliding_window", "true") }
                    : [],
                .. value is null ? Array.Empty<(string, string)>() : [(key, value)],
            ]
        );

    private string Read(TestFamily family, params (string Key, string Value)[] changes)
    {
        var config = new JsonObject { ["architectures"] = new JsonArray($"{family}ForCausalLM"), ["model_type"] = TypeOf(family) };
        var text = config.ToJsonString()[..^1] + string.Concat(changes.Select(change => $",\"{change.Key}\":{change.Value}")) + "}";
        return ReadText(text);
    }

    private string Read(JsonObject config) => ReadText(config.ToJsonString());

    /// <summary>The configuration as the engine has it, or "refused" and why.</summary>
    private string ReadText(string json)
    {
        var path = _folder.PathOf("config.json");
        File.WriteAllText(path, json);
        try
        {
            return JsonSerializer.Serialize(ModelConfig.Load(_folder.Path));
        }
        catch (ModelLoadException refusal)
        {
            return $"refused {refusal.Message.Replace(path + ": ", "", StringComparison.Ordinal)}";
        }
    }

    private static IEnumerable<(string Key, string[] Cells)> ReadTable() =>
        File.ReadLines(Repository.PathOf("docs", "models.md"))
            .SkipWhile(line => !line.StartsWith("| key |", StringComparison.Ordinal))
            .TakeWhile(line => line.StartsWith('|'))
            .Skip(2)
            .Select(line => line.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => (cells[0].Trim('`'), cells[1..]));
}
