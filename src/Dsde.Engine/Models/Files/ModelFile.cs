namespace Dsde.Engine.Models.Files;

/// <summary>
/// The one way to a file of a model folder. Model caches consist of symbolic links, so that nothing may be learnt of a file by its name
/// but by opening it; and what is not the file itself is told by name: a link to nowhere, links in a circle, a pointer that Git LFS left.
/// </summary>
internal static class ModelFile
{
    /// <summary>As the kernel follows links, no further.</summary>
    private const int MostLinks = 40;

    private static ReadOnlySpan<byte> LfsMark => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>Whether there is anything of that name, a link to nowhere included: whoever opens that is told.</summary>
    public static bool Exists(string path) => File.Exists(path) || IsLink(path);

    /// <summary>Opens a file to be read.</summary>
    /// <exception cref="ModelLoadException">It is missing, can't be read, or is not the file itself; the message names it.</exception>
    public static FileStream Open(string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            try
            {
                RefusePointer(path, stream);
                return stream;
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>All bytes of a file.</summary>
    /// <exception cref="ModelLoadException">As <see cref="Open"/>.</exception>
    public static byte[] ReadAllBytes(string path)
    {
        using var stream = Open(path);
        try
        {
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (IOException e)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>Says why a file can't be read.</summary>
    public static ModelLoadException Unreadable(string path, Exception cause) =>
        new(
            ExplainLinks(path)
                ?? (
                    cause is FileNotFoundException or DirectoryNotFoundException
                        ? $"{path} is missing. Download the complete model folder."
                        : $"{path} can't be read: {cause.Message}"
                ),
            cause
        );

    /// <summary>What is wrong with the links on the way to a file or folder; null if nothing is.</summary>
    public static string? ExplainLinks(string path)
    {
        (string Path, string Target)? last = null;
        var place = Path.GetFullPath(path);
        for (var followed = 0; FirstLink(place) is { } link; followed++)
        {
            if (followed == MostLinks)
            {
                return $"{path} is a symbolic link that leads back to itself (over {link.Path}). Download the complete model folder.";
            }

            last = link;
            place = Path.GetFullPath(link.Target, Path.GetDirectoryName(link.Path) ?? "/") + place[link.Path.Length..];
        }

        if (last is not { } end || Path.Exists(place))
        {
            return null;
        }

        var way = end.Path == Path.GetFullPath(path) ? path : $"{path} leads to {end.Path}, which";
        return $"{way} is a symbolic link to {end.Target}, and there is nothing. Download the complete model folder, with what its links "
            + "point to.";
    }

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    /// <summary>The first part of a path, from the root, that is a link.</summary>
    private static (string Path, string Target)? FirstLink(string path)
    {
        for (var end = path.IndexOf('/', 1); ; end = path.IndexOf('/', end + 1))
        {
            var part = end < 0 ? path : path[..end];
            if (part.Length > 0 && new FileInfo(part).LinkTarget is { } target)
            {
                return (part, target);
            }

            if (end < 0)
            {
                return null;
            }
        }
    }

    private static void RefusePointer(string path, FileStream stream)
    {
        if (!stream.CanSeek)
        {
            throw new ModelLoadException($"{path} is not a regular file. Give a model folder of files, or of links to files.");
        }

        Span<byte> start = stackalloc byte[LfsMark.Length];
        var isPointer = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(LfsMark);
        stream.Seek(0, SeekOrigin.Begin);
        if (isPointer)
        {
            throw new ModelLoadException(
                $"{path} is not the file itself but a Git LFS pointer to it ({stream.Length} bytes). Fetch the files (git lfs pull), or "
                    + "download the complete model folder."
            );
        }
    }
}
