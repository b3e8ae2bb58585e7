namespace Dsde.Contracts;

/// <summary>What is said of a field that nobody knows: the same words wherever a job comes from.</summary>
public static class UnknownField
{
    private const int LongestShownName = 64;

    /// <summary>Says so, with the field that was probably meant.</summary>
    /// <param name="name">As it was written; null if that is no valid Unicode.</param>
    /// <param name="known">The fields there are where it stood.</param>
    /// <param name="path">Where that is, for example <c>messages[3].</c>; empty at the top.</param>
    public static string Describe(string? name, IReadOnlyCollection<string> known, string path)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(path);
        if (name is null || !IsShown(name))
        {
            return $"{(path.Length == 0 ? "The message" : path.TrimEnd('.'))} has a field that nobody knows, "
                + "with a name that is none; leave it out.";
        }

        return JobFieldNames.FindNearest(name, known) is { } nearest
            ? $"{path}{name} is not known here; the nearest field is {path}{nearest}. Correct the name, or leave it out."
            : $"{path}{name} is not known here, nor anything like it; known are {string.Join(", ", known)}. Leave it out.";
    }

    /// <summary>A name may be anything, a prompt as well: shown is what looks like one.</summary>
    private static bool IsShown(string name) =>
        name.Length is > 0 and <= LongestShownName
        && name.All(character => char.IsLetterOrDigit(character) || character is '_' or '-' or '.' or '$');
}
