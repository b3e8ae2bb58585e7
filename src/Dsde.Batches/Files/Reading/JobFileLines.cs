using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Dsde.Batches.Files.Reading;

/// <summary>Splits a stream into lines, holding at most one line of bounded length in memory.</summary>
internal static class JobFileLines
{
    /// <summary>Longest line, in bytes. A longer one is skipped and reported.</summary>
    public const int MaxLineBytes = 16 << 20;

    private const byte LineFeed = (byte)'\n';

    /// <summary>
    /// Yields the bytes of each line, without its end; null for a line that is too long. An array is the caller's to keep.
    /// </summary>
    public static async IAsyncEnumerable<byte[]?> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
        var skipping = false;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            while (TryTakeLine(ref buffer, out var line))
            {
                yield return skipping || line.Length > MaxLineBytes ? null : line.ToArray();
                skipping = false;
            }

            if (buffer.Length > MaxLineBytes)
            {
                skipping = true;
                buffer = buffer.Slice(buffer.End);
            }

            if (read.IsCompleted)
            {
                if (skipping || buffer.Length > 0)
                {
                    yield return skipping ? null : WithoutCarriageReturn(buffer).ToArray();
                }

                break;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await reader.CompleteAsync();
    }

    private static bool TryTakeLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        if (buffer.PositionOf(LineFeed) is not { } end)
        {
            line = default;
            return false;
        }

        line = WithoutCarriageReturn(buffer.Slice(0, end));
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    private static ReadOnlySequence<byte> WithoutCarriageReturn(ReadOnlySequence<byte> line) =>
        line.Length > 0 && line.Slice(line.Length - 1).FirstSpan[0] == (byte)'\r' ? line.Slice(0, line.Length - 1) : line;
}
