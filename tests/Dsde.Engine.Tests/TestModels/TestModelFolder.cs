using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Dsde.Engine.Tests.TestModels;

/// <summary>
/// Writes Hugging Face folders of small random models. A weight's values depend on its name only, so that models of one shape share what
/// they share.
/// </summary>
internal static class TestModelFolder
{
    public const int TurnStart = 297;
    public const int TurnEnd = 298;
    public const int TextEnd = 299;

    public static void Write(string folder, TestModelShape shape)
    {
        Directory.CreateDirectory(folder);
        WriteJson(folder, "config.json", TestModelConfig.Create(shape));
        WriteJson(folder, "generation_config.json", new { eos_token_id = new[] { TurnEnd, TextEnd } });
        TestTokenizer.Write(folder);
        WriteWeights(folder, shape);
    }

    public static void WriteJson(string folder, string name, object content) =>
        File.WriteAllText(Path.Combine(folder, name), JsonSerializer.Serialize(content));

    /// <summary>The values of a weight as they are stored: near 1 for norms, otherwise normal around 0.</summary>
    public static float[] Values(string name, int[] lengths, TestModelShape shape)
    {
        if (shape.Given.TryGetValue(name, out var given))
        {
            return given;
        }

        name = shape.Copy is { } copy && copy.Name == name ? copy.Of : name;
        var values = new float[lengths.Aggregate(1, (product, length) => product * length)];
        var random = new Random(name.Aggregate(17, (hash, character) => unchecked((hash * 31) + character)));
        var (center, scale) = Distribution(name, lengths, shape);
        for (var i = 0; i < values.Length; i++)
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            values[i] = Round((float)(center + (scale * normal)), shape.StoredAs);
        }

        if (shape.Poison is { } poison && poison.Name == name)
        {
            values[values.Length / 2] = poison.Value;
        }

        return values;
    }

    private static (double Center, double Scale) Distribution(string name, int[] lengths, TestModelShape shape) =>
        name switch
        {
            _ when name.EndsWith(".bias", StringComparison.Ordinal) => (0, 0.3),
            _ when lengths.Length == 1 => (shape.Family == TestFamily.Gemma2 ? 0 : 1, shape.NormSpread), // Gemma stores the distance from 1
            // Gemma multiplies embeddings by √hidden.
            _ when name.Contains("embed", StringComparison.Ordinal) => (0, shape.Family == TestFamily.Gemma2 ? 0.2 : 1),
            _ when name.Contains("lm_head", StringComparison.Ordinal) => (0, 0.35),
            _ when name.Contains("o_proj", StringComparison.Ordinal) || name.Contains("down_proj", StringComparison.Ordinal) => (
                0,
                shape.LayerScale
            ),
            _ => (0, 0.2),
        };

    private static float Round(float value, string type) =>
        type switch
        {
            "BF16" => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value) & ~0xFFFF),
            "F16" => (float)(Half)value,
            _ => value,
        };

    private static void Encode(float value, string type, Stream data)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (type == "F16")
        {
            BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
            data.Write(bytes[..2]);
            return;
        }

        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        data.Write(type == "BF16" ? bytes[2..] : bytes);
    }

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
        foreach (var (name, lengths) in weights)
        {
            var start = data.Position;
            foreach (var value in Values(name, lengths, shape))
            {
                Encode(value, shape.StoredAs, data);
            }

            header.Add(
                name,
                new
                {
                    dtype = shape.StoredAs,
                    shape = name == shape.Misshapen ? [.. lengths, 1] : lengths,
                    data_offsets = new[] { start, data.Position },
                }
            );
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
