using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;

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
            Budget.Current.Enter();
            foreach (var item in tuple.Items)
            {
                Budget.Current.Step();
                RequireHashable(item);
            }

            Budget.Current.Leave();
        }
    }

    public new bool Equals(object? x, object? y) => ReferenceEquals(x, y) || (x != None && y != None && Comparison.AreEqual(x, y));

    public int GetHashCode(object obj) =>
        obj switch
        {
            Text text => HashOf(text),
            bool truth => (truth ? BigInteger.One : BigInteger.Zero).GetHashCode(),
            BigInteger number => number.GetHashCode(),
            double number => double.IsFinite(number) && double.IsInteger(number)
                ? new BigInteger(number).GetHashCode()
                : number.GetHashCode(),
            PyTuple tuple => tuple.Items.Aggregate(17, Combine),
            PyRange or Undefined => 0,
            _ => obj.GetHashCode(),
        };

    private static int HashOf(Text text)
    {
        Budget.Current.Look(text);
        return text.Value.GetHashCode(StringComparison.Ordinal);
    }

    /// <summary>A tuple that may be a key is not too deep: that was looked at before.</summary>
    private int Combine(int hash, object? item)
    {
        Budget.Current.Step();
        return HashCode.Combine(hash, GetHashCode(item ?? None));
    }
}
