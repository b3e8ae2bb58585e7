using System.CommandLine;

namespace Dsde.Worker.Cli;

/// <summary>Reads one value of a list; false for text that is none.</summary>
internal delegate bool TryParseValue<T>(string text, out T value);

/// <summary>Options that take several values with commas between them.</summary>
internal static class ListOption
{
    /// <summary>
    /// Makes one, null if it is not given; <paramref name="remedy"/> says what to give instead of a value that can't be read.
    /// </summary>
    public static Option<IReadOnlyList<T>?> Create<T>(
        string name,
        string description,
        string helpName,
        TryParseValue<T> tryParse,
        string remedy
    ) =>
        new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result =>
            {
                var values = new List<T>();
                foreach (var text in result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries)))
                {
                    if (tryParse(text, out var value))
                    {
                        values.Add(value);
                    }
                    else
                    {
                        result.AddError($"{name} has '{text}'; {remedy}");
                    }
                }

                return values;
            },
        };
}
