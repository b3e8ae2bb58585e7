using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>Variables of a body; those of the bodies around it show through, but for those that it hides.</summary>
internal sealed class Scope
{
    /// <summary>The value of a variable that has none yet.</summary>
    private static readonly object Missing = new();

    private readonly Dictionary<string, object?> _variables = new(StringComparer.Ordinal);
    private readonly Scope? _outer;

    /// <param name="outer">The body around; null for the outermost.</param>
    /// <param name="hidden">Names of variables that have no value until the body gives them one, whatever they are around it.</param>
    public Scope(Scope? outer, IReadOnlyList<string>? hidden = null)
    {
        _outer = outer;
        foreach (var name in hidden ?? [])
        {
            _variables[name] = Missing;
        }
    }

    public void Set(string name, object? value) => _variables[name] = value;

    public bool TryGet(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope._outer)
        {
            if (scope._variables.TryGetValue(name, out value))
            {
                value = value == Missing ? Undefined.Name(name) : value;
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <summary>All variables that have a value here, in a scope of their own.</summary>
    public Scope Flatten(Budget budget)
    {
        var flat = _outer?.Flatten(budget) ?? new Scope(null);
        budget.Step(_variables.Count);
        foreach (var (name, value) in _variables.Where(variable => variable.Value != Missing))
        {
            flat.Set(name, value);
        }

        return flat;
    }
}
