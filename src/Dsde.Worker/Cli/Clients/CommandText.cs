using System.CommandLine;

namespace Dsde.Worker.Cli.Clients;

/// <summary>Commands as they are typed into a shell, to be copied.</summary>
internal static class CommandText
{
    /// <summary>The command that was given.</summary>
    public static string Of(ParseResult arguments) => Join("dsde", [.. arguments.Tokens.Select(token => token.Value)]);

    /// <summary>A command and more words.</summary>
    public static string Join(string command, params IEnumerable<string> words) => string.Join(' ', [command, .. words.Select(Quote)]);

    /// <summary>As a shell takes it for one word.</summary>
    private static string Quote(string word) =>
        word.Length > 0 && word.All(letter => char.IsLetterOrDigit(letter) || "/._-:=".Contains(letter, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
