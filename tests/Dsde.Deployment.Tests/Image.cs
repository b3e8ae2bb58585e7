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

    /// <summary>The stages by name, with what each begins with and its instructions.</summary>
    public static IReadOnlyList<(string Name, string Base, IReadOnlyList<(string Name, string[] Arguments)> Instructions)> Stages { get; } =
    [
        .. Instructions
            .Select((instruction, index) => (instruction, index))
            .Where(from => from.instruction.Name == "FROM")
            .Select(from =>
                (
                    from.instruction.Arguments is [_, "AS", var name] ? name : throw new FormatException("A stage has no name."),
                    from.instruction.Arguments[0],
                    (IReadOnlyList<(string, string[])>)
                        [.. Instructions.Skip(from.index + 1).TakeWhile(instruction => instruction.Name != "FROM")]
                )
            ),
    ];

    /// <summary>The images that it begins with.</summary>
    public static IEnumerable<string> Bases => Stages.Select(stage => stage.Base).Except(Stages.Select(stage => stage.Name));

    /// <summary>The variables that it sets.</summary>
    public static Dictionary<string, string> Environment =>
        Instructions
            .Where(instruction => instruction.Name == "ENV")
            .SelectMany(instruction => instruction.Arguments)
            .Select(argument => argument.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);

    [GeneratedRegex(@"\\\n")]
    private static partial Regex Continued();
}
