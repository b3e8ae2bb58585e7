using System.Numerics;
using Dsde.Templates.Operators;

namespace Dsde.Templates.Values;

/// <summary>Equality and hashes of the keys of mappings.</summary>
internal sealed class KeyComparer : IEqualityComparer<object>
{
    public static readonly KeyComparer Instance = new();

    /// <summary>Stands for None, which .NET's dictionaries don't take.</summary>
    public static readonly object None = new();

    private KeyComparer() { }

    /// <exception cref="TemplateException">A value can't be a key.</exception>
    public static void RequireHashable(object? key)
    {
        if (key is PyList or PyDict)
        {
            throw new TemplateException($"unhashable type: '{Kind.Of(key)}'");
        }

        if (key is PyTuple tuple)
        {
            foreach (var item in tuple.Items)
            {
                RequireHashable(item);
            }
        }
    }

    public new bool Equals(object? x, object? y) => ReferenceEquals(x, y) || (x != None && y != None && Comparison.AreEqual(x, y));

    public int GetHashCode(object obj) =>
        obj switch
        {
            Text text => text.Value.GetHashCode(StringComparison.Ordinal),
            bool truth => (truth ? BigInteger.One : BigInteger.Zero).GetHashCode(),
            BigInteger number => number.GetHashCode(),
            double number => double.IsFinite(number) && double.IsInteger(number)
                ? new BigInteger(number).GetHashCode()
                : number.GetHashCode(),
            PyTuple tuple => tuple.Items.Aggregate(17, (hash, item) => HashCode.Combine(hash, GetHashCode(item ?? None))),
            PyRange or Undefined => 0,
            _ => obj.GetHashCode(),
        };
}
