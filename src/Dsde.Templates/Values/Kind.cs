using System.Numerics;

namespace Dsde.Templates.Values;

/// <summary>What kinds of values are called, for messages.</summary>
internal static class Kind
{
    public static string Of(object? value) =>
        value switch
        {
            null => "none",
            bool => "bool",
            BigInteger => "int",
            double => "float",
            Text => "str",
            PyList => "list",
            PyTuple => "tuple",
            PyDict => "dict",
            PyRange => "range",
            Undefined => "undefined",
            Generator => "generator",
            DictView view => view.Name,
            Namespace => "namespace",
            ICallable => "function",
            _ => "object",
        };
}
