using Dsde.Templates.Operators;

namespace Dsde.Templates.Values;

/// <summary>A mapping in order of insertion. Keys are equal as in Python: 1, 1.0 and True are one.</summary>
internal sealed class PyDict
{
    private readonly Dictionary<object, int> _places = new(KeyComparer.Instance);
    private readonly List<KeyValuePair<object?, object?>> _entries = [];

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => _entries;

    public int Count => _entries.Count;

    /// <summary>Sets an entry; only what builds the mapping calls it.</summary>
    /// <exception cref="TemplateException">The key can't be one.</exception>
    public void Set(object? key, object? value)
    {
        const int steps = 4; // what an entry takes of memory
        Running.Budget.Current.Step(steps);
        KeyComparer.RequireHashable(key);
        if (_places.TryGetValue(key ?? KeyComparer.None, out var place))
        {
            _entries[place] = new(_entries[place].Key, value);
        }
        else
        {
            _places[key ?? KeyComparer.None] = _entries.Count;
            _entries.Add(new(key, value));
        }
    }

    /// <summary>Finds an entry.</summary>
    /// <exception cref="TemplateException">The key can't be one.</exception>
    public bool TryGet(object? key, out object? value)
    {
        KeyComparer.RequireHashable(key);
        if (_places.TryGetValue(key ?? KeyComparer.None, out var place))
        {
            value = _entries[place].Value;
            return true;
        }

        value = null;
        return false;
    }

    public bool TryGet(string key, out object? value) => TryGet((object)Text.FromTemplate(key), out value);
}
