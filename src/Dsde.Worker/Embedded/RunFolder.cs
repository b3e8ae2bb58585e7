using System.Text;
using Dsde.Pipeline;

namespace Dsde.Worker.Embedded;

/// <summary>
/// The folder of a run's results, which one run has at a time: two would write over each other's files. A run has it as long as it has the
/// file <c>dsde-run.lock</c> in it open, so that whatever ends the process gives the folder free. The file stays, because one that is
/// removed could be locked by a run while the next makes it anew; in it is the batch whose results are not finished yet.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string LockName = "dsde-run.lock";
    private const int IsLockedElsewhere = 11; // EAGAIN

    private readonly FileStream _file;

    private RunFolder(string path, FileStream file) => (Path, _file) = (path, file);

    /// <summary>Where it is, as it was named.</summary>
    public string Path { get; }

    /// <summary>Takes a folder, and makes it if it is not there.</summary>
    /// <exception cref="ExpectedFailureException">Another run has it.</exception>
    public static RunFolder Take(string path)
    {
        Directory.CreateDirectory(path);
        var name = System.IO.Path.Combine(path, LockName);
        try
        {
            return new RunFolder(path, new FileStream(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
        }
        catch (IOException exception) when (exception.HResult == IsLockedElsewhere)
        {
            throw new ExpectedFailureException(
                $"Another dsde run is at work in the folder {path}. Give this one another folder with --out, or wait for that one's end.",
                exception
            );
        }
    }

    /// <summary>The batch of the latest run here, if that was of this source and its results were not finished; null otherwise.</summary>
    /// <param name="source">Name of the job file.</param>
    public Guid? FindUnfinished(string source)
    {
        var note = new byte[_file.Length];
        _file.Position = 0;
        _file.ReadExactly(note);
        return Encoding.UTF8.GetString(note).Split(' ', 2) is [var id, var name] && name == source && Guid.TryParse(id, out var batchId)
            ? batchId
            : null;
    }

    /// <summary>Notes that the results of a batch are being written.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="source">Name of the job file.</param>
    public void Begin(Guid batchId, string source) => Note($"{batchId} {source}");

    /// <summary>Notes that they are finished.</summary>
    public void Finish() => Note("");

    /// <summary>Gives it free.</summary>
    public void Dispose() => _file.Dispose();

    private void Note(string text)
    {
        _file.SetLength(0);
        _file.Position = 0;
        _file.Write(Encoding.UTF8.GetBytes(text));
        _file.Flush(flushToDisk: true);
    }
}
