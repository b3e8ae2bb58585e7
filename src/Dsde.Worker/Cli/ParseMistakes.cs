using System.Text.RegularExpressions;

namespace Dsde.Worker.Cli;

/// <summary>What the command line's parser says of a wrong value, in words of people who don't know .NET's types.</summary>
internal static partial class ParseMistakes
{
    /// <summary>Names the value and what is allowed; other mistakes are left in the parser's words.</summary>
    public static string Reword(string said) =>
        WrongValue()
            .Replace(
                said,
                match =>
                {
                    var (value, what) = (match.Groups["value"].Value, match.Groups["what"].Value);
                    var mistake = match.Groups["option"].Success ? $"{what} is '{value}'" : $"'{value}' is nothing that {what} takes";
                    return $"{mistake}; give {DescribeAllowed(match.Groups["type"].Value)}.";
                }
            );

    private static string DescribeAllowed(string type) =>
        type switch
        {
            _ when type.Contains("Guid", StringComparison.Ordinal) => "an id like 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11",
            _ when type.Contains("Int", StringComparison.Ordinal) => "a whole number",
            _ when type.Contains("Double", StringComparison.Ordinal) || type.Contains("Single", StringComparison.Ordinal) => "a number",
            _ when type.Contains("Bool", StringComparison.Ordinal) => "true or false",
            _ => "another value",
        };

    [GeneratedRegex(
        "Cannot parse argument '(?<value>.*)' for (?:(?<option>option)|command) '(?<what>[^']*)' as expected type '(?<type>[^']*)'\\."
    )]
    private static partial Regex WrongValue();
}
