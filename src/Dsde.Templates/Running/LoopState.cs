using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>What a loop's body knows as <c>loop</c>.</summary>
internal sealed class LoopState : ICallable
{
    private readonly IEnumerator<object?> _items;
    private readonly Queue<object?> _ahead = new();
    private readonly Func<object?, Text>? _recurse;
    private readonly int _depth0;
    private object? _previous;
    private object? _current;
    private PyTuple? _lastChanged;
    private int _index0 = -1;
    private int? _length;

    /// <param name="items">What the loop goes through.</param>
    /// <param name="length">How many; null where that is not known yet.</param>
    /// <param name="recurse">Renders the body for other items; null if the loop is not recursive.</param>
    /// <param name="depth0">Loops of the same kind around it.</param>
    public LoopState(IEnumerable<object?> items, int? length, Func<object?, Text>? recurse, int depth0)
    {
        _items = items.GetEnumerator();
        _length = length;
        _recurse = recurse;
        _depth0 = depth0;
    }

    public int Length => _length ??= ReadAll() + _index0 + 1;

    public int Index => _index0 + 1;

    private bool IsLast => !Peek();

    public bool MoveNext(out object? item)
    {
        if (!Peek())
        {
            item = null;
            return false;
        }

        item = _ahead.Dequeue();
        _index0++;
        (_previous, _current) = (_current, item);
        return true;
    }

    /// <summary>What is left, which is then gone.</summary>
    public IEnumerable<object?> Remaining()
    {
        while (MoveNext(out var item))
        {
            yield return new PyTuple([item, this]);
        }
    }

    public object? Call(Machine machine, Arguments arguments) =>
        _recurse is { } recurse
            ? recurse(arguments.Bind("loop", 1, "iterable")[0])
            : throw new TemplateException("The loop must have the 'recursive' marker to be called recursively.");

    /// <summary>An attribute; null if it has none of that name.</summary>
    public object? Find(string name) =>
        name switch
        {
            "index0" => new BigInteger(_index0),
            "index" => new BigInteger(_index0 + 1),
            "revindex0" => new BigInteger(Length - _index0 - 1),
            "revindex" => new BigInteger(Length - _index0),
            "length" => new BigInteger(Length),
            "first" => _index0 == 0,
            "last" => IsLast,
            "depth0" => new BigInteger(_depth0),
            "depth" => new BigInteger(_depth0 + 1),
            "previtem" => _index0 == 0 ? new Undefined("there is no previous item") : new Library.Methods.Found(_previous),
            "nextitem" => Peek() ? new Library.Methods.Found(_ahead.Peek()) : new Undefined("there is no next item"),
            "cycle" => new Function(
                name,
                (_, given) =>
                    given.Positional.Count > 0 && given.Named.Count == 0
                        ? given.Positional[_index0 % given.Positional.Count]
                        : throw new TemplateException("no items for cycling given")
            ),
            "changed" => new Function(name, (_, given) => HasChanged(new PyTuple(given.Positional))),
            _ => null,
        };

    private object HasChanged(PyTuple value)
    {
        var hasChanged = _lastChanged is null || !Comparison.AreEqual(_lastChanged, value);
        _lastChanged = value;
        return hasChanged;
    }

    private bool Peek()
    {
        if (_ahead.Count == 0 && _items.MoveNext())
        {
            _ahead.Enqueue(_items.Current);
        }

        return _ahead.Count > 0;
    }

    private int ReadAll()
    {
        while (_items.MoveNext())
        {
            _ahead.Enqueue(_items.Current);
        }

        return _ahead.Count;
    }
}
