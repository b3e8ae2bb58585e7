using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dsde.Batches.Files.Writing;

/// <summary>
/// A file of JSON lines that appears under its name only when it is complete; until then it lies beside it with <c>.partial</c> appended.
/// A file without lines does not appear, and an older one of that name goes.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="isGrowing">Whether lines are appended to the file itself instead, each readable once it is flushed.</param>
internal sealed class JsonLinesFile(string path, bool isGrowing = false) : IAsyncDisposable
{
    private const int FlushBytes = 64 << 10;

    // For files, not for web pages: quotes and letters of every language stay readable.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _writtenPath = isGrowing ? path : path + ".partial";
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushBytes);
    private FileStream? _stream;

    public int LineCount { get; private set; }

    /// <summary>Appends one line, which <paramref name="write"/> fills.</summary>
    public async Task WriteAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        using (var json = new Utf8JsonWriter(_buffer, Options))
        {
            write(json);
        }

        _buffer.Write("\n"u8);
        LineCount++;
        if (_buffer.WrittenCount >= FlushBytes)
        {
            await FlushAsync(cancellationToken);
        }
    }

    /// <summary>Puts the file in its place.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (LineCount == 0)
        {
            File.Delete(path);
            return;
        }

        await FlushAsync(cancellationToken);
        await DisposeAsync();
        File.Move(_writtenPath, path, overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is { } stream)
        {
            _stream = null;
            await stream.DisposeAsync();
        }
    }

    /// <summary>Has what was written so far reach the file, in one piece.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_buffer.WrittenCount == 0)
        {
            return;
        }

        _stream ??= new FileStream(
            _writtenPath,
            isGrowing ? FileMode.Append : FileMode.Create,
            FileAccess.Write,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0,
            useAsync: true
        );
        await _stream.WriteAsync(_buffer.WrittenMemory, cancellationToken);
        _buffer.ResetWrittenCount();
    }
}
