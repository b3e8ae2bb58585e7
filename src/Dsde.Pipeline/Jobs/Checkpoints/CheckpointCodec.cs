using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Text.Json;
using Dsde.Engine;

namespace Dsde.Pipeline.Jobs.Checkpoints;

/// <summary>Checkpoints as they are stored: a byte that says how the rest is written, then JSON under Brotli.</summary>
internal static class CheckpointCodec
{
    private const byte JsonUnderBrotli = 1;

    /// <summary>Writes one.</summary>
    public static byte[] Encode(SequenceCheckpoint checkpoint)
    {
        using var buffer = new MemoryStream();
        buffer.WriteByte(JsonUnderBrotli);
        using (var brotli = new BrotliStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            JsonSerializer.Serialize(brotli, checkpoint, CheckpointJson.Default.SequenceCheckpoint);
        }

        return buffer.ToArray();
    }

    /// <summary>Reads one; false if it was written in another way, or is damaged.</summary>
    public static bool TryDecode(byte[] state, [NotNullWhen(true)] out SequenceCheckpoint? checkpoint)
    {
        checkpoint = null;
        if (state is not [JsonUnderBrotli, ..])
        {
            return false;
        }

        try
        {
            using var brotli = new BrotliStream(new MemoryStream(state, 1, state.Length - 1), CompressionMode.Decompress);
            checkpoint = JsonSerializer.Deserialize(brotli, CheckpointJson.Default.SequenceCheckpoint);
        }
        catch (Exception exception)
            when (exception is JsonException or InvalidDataException or InvalidOperationException or NotSupportedException)
        {
            return false;
        }

        return checkpoint is not null;
    }
}
