using System.Runtime.InteropServices;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Files;

namespace Dsde.PeerBench;

/// <summary>
/// A Hugging Face folder of the Llama family as a GGUF file without a vocabulary: the bench gives token ids. Rows of query and key
/// projections are put in the order of llama.cpp's rotation, which turns neighbours, where Hugging Face's turns halves.
/// </summary>
internal static class GgufModel
{
    private const string Architecture = "llama";

    /// <summary>Writes it.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="type">Type of the matrices; vectors are single precision.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="NotSupportedException">It is of another family, or stored in a type that isn't read.</exception>
    public static void Write(ModelFolder folder, GgufType type, string path)
    {
        var config = folder.Config;
        if (config.Family != "Llama" || config.HasQkvBias || config.HasOutputBias || config.HasMlpBias || config.RopeScaling is not null)
        {
            throw new NotSupportedException(
                $"{folder.Path} is of the family {config.Family} or has biases or a stretched rotation; plain Llama models are compared."
            );
        }

        var file = new GgufFile();
        file.Add("general.architecture", Architecture);
        file.Add("general.name", folder.Name);
        file.Add($"{Architecture}.context_length", config.ContextLength);
        file.Add($"{Architecture}.embedding_length", config.HiddenSize);
        file.Add($"{Architecture}.block_count", config.LayerCount);
        file.Add($"{Architecture}.feed_forward_length", config.IntermediateSize);
        file.Add($"{Architecture}.attention.head_count", config.HeadCount);
        file.Add($"{Architecture}.attention.head_count_kv", config.KvHeadCount);
        file.Add($"{Architecture}.attention.key_length", config.HeadDim);
        file.Add($"{Architecture}.attention.value_length", config.HeadDim);
        file.Add($"{Architecture}.attention.layer_norm_rms_epsilon", (float)config.RmsNormEps);
        file.Add($"{Architecture}.rope.freq_base", (float)config.RopeTheta);
        file.Add($"{Architecture}.rope.dimension_count", config.HeadDim);
        file.Add($"{Architecture}.vocab_size", config.VocabularySize);
        file.Add("tokenizer.ggml.model", "no_vocab");
        Add("token_embd", "model.embed_tokens");
        Add("output_norm", "model.norm");
        if (!config.TieWordEmbeddings)
        {
            Add("output", "lm_head");
        }

        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            var (to, from) = ($"blk.{layer}.", $"model.layers.{layer}.");
            Add(to + "attn_norm", from + "input_layernorm");
            Add(to + "attn_q", from + "self_attn.q_proj", config.HeadDim);
            Add(to + "attn_k", from + "self_attn.k_proj", config.HeadDim);
            Add(to + "attn_v", from + "self_attn.v_proj");
            Add(to + "attn_output", from + "self_attn.o_proj");
            Add(to + "ffn_norm", from + "post_attention_layernorm");
            Add(to + "ffn_gate", from + "mlp.gate_proj");
            Add(to + "ffn_up", from + "mlp.up_proj");
            Add(to + "ffn_down", from + "mlp.down_proj");
        }

        file.Write(path);

        void Add(string to, string from, int rotatedHead = 0)
        {
            var (stored, entry) = folder.Find(from + ".weight");
            var written = entry.Shape.Count == 1 ? GgufType.F32 : type;
            file.Add(to + ".weight", entry.Shape, written, () => Convert(Rotate(Read(stored, entry), entry, rotatedHead), written));
        }
    }

    private static float[] Read(string path, SafetensorsEntry entry)
    {
        var bytes = new byte[entry.ByteLength];
        using (var file = File.OpenRead(path))
        {
            file.Position = entry.Offset;
            file.ReadExactly(bytes);
        }

        return entry.DataType switch
        {
            SafetensorsDataType.F32 => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            SafetensorsDataType.BF16 =>
            [
                .. MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Select(half => BitConverter.UInt32BitsToSingle((uint)half << 16)),
            ],
            _ => throw new NotSupportedException($"{path} stores weights as {entry.DataType}; BF16 and F32 are read."),
        };
    }

    /// <summary>Rows 0, 1, … of each half of a head take turns.</summary>
    private static float[] Rotate(float[] rows, SafetensorsEntry entry, int headDim)
    {
        if (headDim == 0)
        {
            return rows;
        }

        var width = (int)entry.Shape[1];
        var rotated = new float[rows.Length];
        for (var row = 0; row < entry.Shape[0]; row++)
        {
            var (head, place) = Math.DivRem(row, headDim);
            var (half, index) = Math.DivRem(place, headDim / 2);
            rows.AsSpan(row * width, width).CopyTo(rotated.AsSpan(((head * headDim) + (2 * index) + half) * width));
        }

        return rotated;
    }

    private static byte[] Convert(float[] numbers, GgufType type) =>
        type == GgufType.F32
            ? MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray()
            : MemoryMarshal.AsBytes(numbers.Select(Narrow).ToArray().AsSpan()).ToArray();

    /// <summary>To the nearest, ties to even.</summary>
    private static ushort Narrow(float number)
    {
        var bits = BitConverter.SingleToUInt32Bits(number);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
