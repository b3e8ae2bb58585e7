using System.Text.RegularExpressions;
using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>The Dockerfile: its instructions, each a line.</summary>
internal static partial class Image
{
    /// <summary>Instructions with their arguments, comments and continued lines resolved.</summary>
    public static IReadOnlyList<(string Name, string[] Arguments)> Instructions { get; } =
    [
        .. Continued()
            .Replace(File.ReadAllText(Repository.PathOf("docker", "Dockerfile")), " ")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(words => (words[0], words[1..])),
    ];

    /// <summary>The variables that it sets in the last stage.</summary>
    public static Dictionary<string, string> Environment =>
        Instructions
            .Where(instruction => instruction.Name == "ENV")
            .SelectMany(instruction => instruction.Arguments)
            .Select(argument => argument.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);

    [GeneratedRegex(@"\\\n")]
    private static partial Regex Continued();
}
