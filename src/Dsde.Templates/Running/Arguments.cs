using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>The arguments of one call.</summary>
internal sealed class Arguments
{
    public static readonly Arguments None = new([], []);

    public Arguments(IReadOnlyList<object?> positional, IReadOnlyList<KeyValuePair<string, object?>> named)
    {
        Positional = positional;
        Named = named;
    }

    public IReadOnlyList<object?> Positional { get; }

    public IReadOnlyList<KeyValuePair<string, object?>> Named { get; }

    public static Arguments Of(params object?[] positional) => new(positional, []);

    /// <summary>Puts the arguments into the order of a function's parameters.</summary>
    /// <param name="function">Its name, for messages.</param>
    /// <param name="required">Parameters that have to be given, of the first ones.</param>
    /// <param name="parameters">Names of all; one that begins with a slash can be given by position only.</param>
    /// <exception cref="TemplateException">They don't fit.</exception>
    public Bound Bind(string function, int required, params string[] parameters)
    {
        if (Positional.Count > parameters.Length)
        {
            throw new TemplateException($"{function}() takes at most {parameters.Length} arguments ({Positional.Count} given)");
        }

        var values = new object?[parameters.Length];
        var given = new bool[parameters.Length];
        for (var i = 0; i < Positional.Count; i++)
        {
            (values[i], given[i]) = (Positional[i], true);
        }

        foreach (var (name, value) in Named)
        {
            var place = Array.IndexOf(parameters, name);
            if (place < 0 || given[place])
            {
                throw new TemplateException($"{function}() can't take the argument '{name}'{(place < 0 ? "" : " twice")}");
            }

            (values[place], given[place]) = (value, true);
        }

        var missing = Array.IndexOf(given, false);
        return missing >= 0 && missing < required
            ? throw new TemplateException($"{function}() misses the argument '{parameters[missing].TrimStart('/')}'")
            : new Bound(function, parameters, values, given);
    }

    /// <summary>The arguments without the first ones.</summary>
    public Arguments Skip(int count) => new([.. Positional.Skip(count)], Named);
}
