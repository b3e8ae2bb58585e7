using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Dsde.ModelForge.Bpe;
using Dsde.ModelForge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.ModelForge.Folders;

/// <summary>Writes a model as a Hugging Face folder with bf16 safetensors weights.</summary>
internal static class HuggingFaceFolder
{
    /// <summary>Writes beside the place and moves the folder there when it is whole, so that no reader meets half a model.</summary>
    public static void Write(string path, TrainableDecoder model, BpeVocabulary vocabulary)
    {
        var partial = path + ".partial";
        Directory.CreateDirectory(partial);
        JsonFiles.Write(Path.Combine(partial, "config.json"), model.Shape.ToConfig());
        JsonFiles.Write(Path.Combine(partial, "generation_config.json"), ModelShape.ToGenerationConfig());
        TokenizerFiles.Write(partial, vocabulary, ModelShape.ContextLength);
        WriteWeights(Path.Combine(partial, "model.safetensors"), model);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        Directory.Move(partial, path);
    }

    /// <summary>Format: length of the header (8 bytes, little-endian), the header in JSON padded to a multiple of 8, the data.</summary>
    private static void WriteWeights(string path, TrainableDecoder model)
    {
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        var weights = model.Weights.ToList();
        long offset = 0;
        foreach (var (name, weight) in weights)
        {
            var end = offset + (weight.numel() * 2);
            header[name] = new JsonObject
            {
                ["dtype"] = "BF16",
                ["shape"] = new JsonArray([.. weight.shape.Select(length => (JsonNode)length)]),
                ["data_offsets"] = new JsonArray(offset, end),
            };
            offset = end;
        }

        var json = Encoding.UTF8.GetBytes(header.ToJsonString());
        var padded = (json.Length + 7) / 8 * 8;
        using var file = File.Create(path);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, padded);
        file.Write(length);
        file.Write(json);
        file.Write(Enumerable.Repeat((byte)' ', padded - json.Length).ToArray());
        using var mode = no_grad();
        foreach (var (_, weight) in weights)
        {
            using var scope = NewDisposeScope();
            file.Write(weight.detach().to(ScalarType.BFloat16).contiguous().bytes);
        }
    }
}
