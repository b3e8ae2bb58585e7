using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>Arguments in the order of a function's parameters, read by type.</summary>
internal sealed class Bound(string function, string[] parameters, object?[] values, bool[] given)
{
    public object? this[int index] => values[index];

    public bool Has(int index) => given[index];

    public object? Or(int index, object? otherwise) => given[index] ? values[index] : otherwise;

    public bool Truth(int index, bool otherwise = false) => given[index] ? Operators.Truth.Of(values[index]) : otherwise;

    public Text Text(int index) => values[index] as Text ?? throw Wrong(index, "a string");

    public Text? TextOrNone(int index) => values[index] is null ? null : Text(index);

    public int Int(int index, int otherwise)
    {
        if (!given[index])
        {
            return otherwise;
        }

        var number = Numbers.ToIndex(values[index]) ?? throw Wrong(index, "a whole number");
        return number < int.MinValue ? int.MinValue
            : number > int.MaxValue ? int.MaxValue
            : (int)number;
    }

    public TemplateException Wrong(int index, string expected) =>
        values[index] is Undefined undefined
            ? undefined.Refuse()
            : new TemplateException($"{function}() wants {expected} as {parameters[index].TrimStart('/')}, not {Kind.Of(values[index])}");
}
