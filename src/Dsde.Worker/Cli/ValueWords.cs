using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Dsde.Worker.Cli;

/// <summary>Says of a value on the command line that can't be read what is allowed, where the parser would name .NET's types.</summary>
internal static class ValueWords
{
    /// <summary>Checks the values of all that <paramref name="command"/> and the verbs below it take.</summary>
    public static void AddTo(Command command)
    {
        foreach (var option in command.Options)
        {
            if (Describe(option.ValueType) is { } words)
            {
                option.Validators.Add(result => Check(result, option.Name, result.Tokens, option.ValueType, words));
            }
        }

        foreach (var argument in command.Arguments)
        {
            if (Describe(argument.ValueType) is { } words)
            {
                argument.Validators.Add(result => Check(result, argument.Name, result.Tokens, argument.ValueType, words));
            }
        }

        foreach (var verb in command.Subcommands)
        {
            AddTo(verb);
        }
    }

    private static void Check(SymbolResult result, string name, IReadOnlyList<Token> given, Type type, string words)
    {
        if (!result.Errors.Any() && given is [{ Value: var value }] && !CanRead(value, type))
        {
            result.AddError($"{name} is '{value}'; give {words}.");
        }
    }

    private static string? Describe(Type type) =>
        Bare(type) switch
        {
            var bare when bare == typeof(int) || bare == typeof(long) => "a whole number",
            var bare when bare == typeof(double) => "a number",
            var bare when bare == typeof(Guid) => "an id, such as 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11",
            _ => null,
        };

    private static bool CanRead(string value, Type type) =>
        Bare(type) switch
        {
            var bare when bare == typeof(int) => int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out _),
            var bare when bare == typeof(long) => long.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out _),
            var bare when bare == typeof(double) => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _),
            _ => Guid.TryParse(value, out _),
        };

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;
}
