using System.Numerics;
using Dsde.Templates.Values;

namespace Dsde.Templates.Operators;

/// <summary>What counts as true.</summary>
internal static class Truth
{
    public static bool Of(object? value) =>
        value switch
        {
            null or Undefined => false,
            bool truth => truth,
            BigInteger number => !number.IsZero,
            double number => number != 0,
            Text text => text.Length > 0,
            PyList list => list.Items.Count > 0,
            PyTuple tuple => tuple.Items.Count > 0,
            PyDict dict => dict.Count > 0,
            PyRange range => range.Count > 0,
            DictView view => view.Items.Count > 0,
            Running.LoopState loop => loop.Length > 0,
            _ => true,
        };
}
