namespace Dsde.Testing;

/// <summary>Where the sources are, for tests that run scripts and programs or read documents.</summary>
public static class Repository
{
    /// <summary>The folder with Dsde.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path below <see cref="Root"/>.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>All files of C# that people wrote, from <see cref="Root"/>; migrations are generated.</summary>
    public static IEnumerable<string> Sources =>
        new[] { "bench", "eng", "src", "tests", "tools" }
            .SelectMany(folder => Directory.EnumerateFiles(PathOf(folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "Migrations" or "obj" or "bin"));

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
