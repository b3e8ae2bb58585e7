namespace Dsde.Testing;

/// <summary>
/// An empty folder of a test's own in the temporary directory, which goes with the test, however that ends: the only way for a test to get
/// one. ./test.sh fails if anything is left.
/// </summary>
public sealed class ScratchFolder : IDisposable, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="kind">What it is for; stands in its name, so that a folder that was left tells who left it.</param>
    public ScratchFolder(string kind = "test") => Path = Directory.CreateTempSubdirectory($"dsde-{kind}-").FullName;

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>A path in it.</summary>
    public string PathOf(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Writes a file of these lines; its path.</summary>
    public string Write(string name, params string[] lines)
    {
        var path = PathOf(name);
        File.WriteAllLines(path, lines);
        return path;
    }

    /// <summary>Removes it with what is in it. A process that has been told to end may still write for a moment.</summary>
    /// <exception cref="IOException">Something writes to it without end.</exception>
    public void Dispose()
    {
        for (var start = TimeProvider.System.GetTimestamp(); Directory.Exists(Path); Thread.Sleep(20))
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(start) < Patience)
            {
                // somebody made a file meanwhile
            }
        }
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
