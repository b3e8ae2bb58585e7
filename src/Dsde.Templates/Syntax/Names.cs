namespace Dsde.Templates.Syntax;

/// <summary>The names of one body: which it knows, and what value they begin with.</summary>
/// <param name="around">Those of the body around it; null for the outermost.</param>
internal sealed class Names(Names? around)
{
    private readonly Dictionary<string, Beginning> _known = new(StringComparer.Ordinal);
    private readonly HashSet<string> _stored = new(StringComparer.Ordinal);

    /// <summary>What a name means when its body begins.</summary>
    private enum Beginning
    {
        /// <summary>It is the body's parameter.</summary>
        Parameter,

        /// <summary>What the template was given, or a function of the library.</summary>
        Given,

        /// <summary>The variable of a body around.</summary>
        Around,

        /// <summary>Nothing.</summary>
        Undefined,
    }

    /// <summary>Names that have to be given.</summary>
    public IEnumerable<string> Resolved => NamesOf(Beginning.Given);

    /// <summary>Names without a value, whatever they mean around the body.</summary>
    public string[] Hidden => [.. NamesOf(Beginning.Undefined)];

    /// <summary>Whether a name is known here or around.</summary>
    public bool Knows(string name)
    {
        for (var names = this; names is not null; names = names.Outer)
        {
            if (names._known.ContainsKey(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A parameter.</summary>
    public void Declare(string name)
    {
        _stored.Add(name);
        _known[name] = Beginning.Parameter;
    }

    /// <summary>A name is read.</summary>
    public void Load(string name)
    {
        if (!Knows(name))
        {
            _known[name] = Beginning.Given;
        }
    }

    /// <summary>A name is assigned to.</summary>
    public void Store(string name)
    {
        _stored.Add(name);
        if (!_known.ContainsKey(name))
        {
            _known[name] = Outer?.Knows(name) == true ? Beginning.Around : Beginning.Undefined;
        }
    }

    /// <summary>The same, for a branch.</summary>
    public Names Copy()
    {
        Running.Budget.Current.Step(_known.Count);
        var copy = new Names(Outer);
        foreach (var (name, beginning) in _known)
        {
            copy._known[name] = beginning;
        }

        copy._stored.UnionWith(_stored);
        return copy;
    }

    /// <summary>What branches did: a name that one of them assigns keeps the meaning that it had before, as no other may.</summary>
    public void Join(IEnumerable<Names> branches)
    {
        var stored = branches.SelectMany(branch => branch._stored).Except(_stored, StringComparer.Ordinal).ToList();
        foreach (var branch in branches)
        {
            foreach (var (name, beginning) in branch._known)
            {
                _known[name] = beginning;
            }

            _stored.UnionWith(branch._stored);
        }

        foreach (var name in stored)
        {
            _known[name] = Outer?.Knows(name) == true ? Beginning.Around : Beginning.Given;
        }
    }

    private Names? Outer { get; } = around;

    private IEnumerable<string> NamesOf(Beginning beginning) => _known.Where(name => name.Value == beginning).Select(name => name.Key);
}
