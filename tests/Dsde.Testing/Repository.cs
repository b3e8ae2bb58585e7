namespace Dsde.Testing;

/// <summary>Where the sources are, for tests that run scripts and programs or read documents.</summary>
public static class Repository
{
    /// <summary>The folder with Dsde.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path below <see cref="Root"/>.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dsde.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"Dsde.sln is in no folder above {AppContext.BaseDirectory}.");
    }
}
