using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Dsde.Engine.Tests.TestModels;

/// <summary>Writes Hugging Face folders of small random models. A weight's values depend on its name only, so that models of one shape share what they share.</summary>
internal static class TestModelFolder
{
    public const int TurnStart = 297;
    public const int TurnEnd = 298;
    public const int TextEnd = 299;

    public static void Write(string folder, TestModelShape shape)
    {
        Directory.CreateDirectory(folder);
        WriteJson(folder, "config.json", Config(shape));
        WriteJson(folder, "generation_config.json", new { eos_token_id = new[] { TurnEnd, TextEnd } });
        TestTokenizer.Write(folder);
        WriteWeights(folder, shape);
    }

    public static void WriteJson(string folder, string name, object content) => File.WriteAllText(Path.Combine(folder, name), JsonSerializer.Serialize(content));

    /// <summary>The values of a weight: ones for norms, otherwise normal.</summary>
    public static float[] Values(string name, int[] lengths, TestModelShape shape)
    {
        var values = new float[lengths.Aggregate(1, (product, length) => product * length)];
        var random = new Random(name.Aggregate(17, (hash, character) => unchecked((hash * 31) + character)));
        var scale = name switch
        {
            _ when lengths.Length == 1 => 0,
            _ when name.Contains("embed", StringComparison.Ordinal) => 1.0,
            _ when name.Contains("lm_head", StringComparison.Ordinal) => 0.35,
            _ when name.Contains("o_proj", StringComparison.Ordinal) || name.Contains("down_proj", StringComparison.Ordinal) => shape.LayerScale,
            _ => 0.2,
        };
        for (var i = 0; i < values.Length; i++)
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            values[i] = scale == 0 ? 1f : (float)(scale * normal);
        }

        return values;
    }

    private static object Config(TestModelShape shape) => new
    {
        architectures = new[] { "LlamaForCausalLM" },
        model_type = "llama",
        hidden_size = shape.Hidden,
        num_hidden_layers = shape.Layers,
        num_attention_heads = shape.Heads,
        num_key_value_heads = shape.KvHeads,
        head_dim = shape.HeadDim,
        intermediate_size = shape.Intermediate,
        vocab_size = shape.Vocabulary,
        hidden_act = "silu",
        rms_norm_eps = 1e-5,
        rope_theta = 10000.0,
        max_position_embeddings = shape.Context,
        tie_word_embeddings = shape.Tied,
        torch_dtype = shape.Bf16 ? "bfloat16" : "float32",
    };

    private static void WriteWeights(string folder, TestModelShape shape)
    {
        var weights = shape.Weights().ToList();
        if (shape.Shards == 1)
        {
            WriteSafetensors(Path.Combine(folder, "model.safetensors"), weights, shape);
            return;
        }

        var places = new Dictionary<string, string>();
        foreach (var (number, shard) in weights.Chunk((weights.Count + shape.Shards - 1) / shape.Shards).Index())
        {
            var file = $"model-{number + 1:D5}-of-{shape.Shards:D5}.safetensors";
            WriteSafetensors(Path.Combine(folder, file), shard, shape);
            foreach (var (name, _) in shard)
            {
                places.Add(name, file);
            }
        }

        WriteJson(folder, "model.safetensors.index.json", new { metadata = new { }, weight_map = places });
    }

    private static void WriteSafetensors(string path, IEnumerable<(string Name, int[] Shape)> weights, TestModelShape shape)
    {
        var header = new Dictionary<string, object>();
        using var data = new MemoryStream();
        Span<byte> bytes = stackalloc byte[4];
        foreach (var (name, lengths) in weights)
        {
            var start = data.Position;
            foreach (var value in Values(name, lengths, shape))
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
                data.Write(shape.Bf16 ? bytes[2..] : bytes);
            }

            header.Add(name, new { dtype = shape.Bf16 ? "BF16" : "F32", shape = lengths, data_offsets = new[] { start, data.Position } });
        }

        var json = JsonSerializer.Serialize(header);
        json = json.PadRight((json.Length + 7) / 8 * 8);
        using var file = File.Create(path);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        file.Write(length);
        file.Write(Encoding.ASCII.GetBytes(json));
        data.WriteTo(file);
    }
}
