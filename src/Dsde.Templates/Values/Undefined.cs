namespace Dsde.Templates.Values;

/// <summary>A value that is not there: prints as nothing, is false, has no items, and can't be used otherwise.</summary>
/// <param name="Message">What to say to who uses it.</param>
internal sealed record Undefined(string Message)
{
    public static Undefined Name(string name) => new($"'{name}' is undefined");

    public static Undefined Missing(object? owner, object? key) =>
        new(
            key is Text name
                ? $"'{Kind.Of(owner)} object' has no attribute '{name.Value}'"
                : $"{Kind.Of(owner)} object has no element {Operators.Representation.Short(key)}"
        );

    public TemplateException Refuse() => new(Message);
}
