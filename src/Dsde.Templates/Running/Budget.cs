using System.Numerics;
using System.Runtime.CompilerServices;
using Dsde.Templates.Operators;
using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>What is left of a rendering's limits.</summary>
internal sealed class Budget(TemplateLimits limits)
{
    private const int CharactersPerStep = 8; // that are kept
    private const int CharactersReadPerStep = 64;
    private const int ItemsPassedPerStep = 64;
    private const int ItemsReadPerStep = 2;
    private const int StepsPerCharacterApart = 8; // a text each
    private const int StepsPerNumber = 4; // boxed
    private const int MaxNumberBits = 1 << 16;

    [ThreadStatic]
    private static Budget? _current;

    private long _steps;

    /// <summary>Levels that are entered and not left.</summary>
    public int Depth { get; set; }

    /// <summary>
    /// That of the rendering on this thread, for what can't be handed one: comparers that collections call, and values that only look. One
    /// of its own outside of renderings.
    /// </summary>
    public static Budget Current => _current ?? new Budget(new TemplateLimits());

    /// <summary>Makes this the current one until the result is disposed.</summary>
    public IDisposable Use()
    {
        var use = new Using(_current);
        _current = this;
        return use;
    }

    /// <summary>Counts a look at a value, whatever it is for.</summary>
    /// <exception cref="TemplateException">It is too much.</exception>
    public void Look(object? value) =>
        Step(
            value switch
            {
                Text text => text.Length / CharactersReadPerStep,
                PyList list => list.Items.Count / ItemsPassedPerStep,
                PyTuple tuple => tuple.Items.Count / ItemsPassedPerStep,
                PyDict dict => dict.Count / ItemsPassedPerStep,
                DictView view => view.Items.Count / ItemsPassedPerStep,
                PyRange range => range.Count / ItemsPassedPerStep,
                _ => 0,
            }
        );

    /// <summary>Counts going through a value's items, which of some are made on the way.</summary>
    /// <exception cref="TemplateException">It is too much.</exception>
    public void GoThrough(object? value)
    {
        switch (value)
        {
            case Text text:
                Step((long)text.Length * StepsPerCharacterApart);
                break;
            case PyRange range:
                Step((long)range.Count * StepsPerNumber);
                break;
            case PyList or PyTuple or PyDict or DictView:
                Step(Items.Count(value) / ItemsReadPerStep);
                break;
            default:
                break;
        }
    }

    /// <summary>Counts the search for a text in another one, which has to be compared at every place in the worst case.</summary>
    /// <exception cref="TemplateException">It is too much.</exception>
    public void Search(int length, int wanted) => Step((long)length * (1 + (wanted / CharactersReadPerStep)) / CharactersReadPerStep);

    /// <summary>Counts work.</summary>
    /// <exception cref="TemplateException">It is too much.</exception>
    public void Step(long count = 1)
    {
        _steps += count;
        if (_steps > limits.MaxSteps)
        {
            throw Limit($"takes more than {limits.MaxSteps} steps", nameof(TemplateLimits.MaxSteps));
        }
    }

    /// <summary>Counts a text that is about to be made.</summary>
    /// <param name="length">Its length.</param>
    /// <param name="added">As many characters of it are copied.</param>
    /// <exception cref="TemplateException">It is too long.</exception>
    public void ChargeText(long length, long added)
    {
        if (length > limits.MaxTextLength)
        {
            throw Limit($"makes a text of more than {limits.MaxTextLength} characters", nameof(TemplateLimits.MaxTextLength));
        }

        Step(added / CharactersPerStep);
    }

    /// <summary>Counts a whole number that is about to be made.</summary>
    /// <exception cref="TemplateException">It is too large.</exception>
    public static void CheckNumber(BigInteger bits)
    {
        const int shift = 20; // two of the largest numbers are multiplied in some thousand steps
        if (bits > MaxNumberBits)
        {
            throw new TemplateException($"the template computes a number of more than {MaxNumberBits} bits") { IsLimit = true };
        }

        Current.Step((long)(bits * bits) >> shift);
    }

    /// <summary>Goes one level deeper.</summary>
    /// <exception cref="TemplateException">It is too deep.</exception>
    public void Enter()
    {
        Depth++;
        if (Depth > limits.MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw TooDeep(limits.MaxDepth);
        }
    }

    /// <summary>Comes back.</summary>
    public void Leave() => Depth--;

    /// <summary>What to say of a template that nests too deep.</summary>
    public static TemplateException TooDeep(int maxDepth) => Limit($"nests more than {maxDepth} deep", nameof(TemplateLimits.MaxDepth));

    private sealed class Using(Budget? before) : IDisposable
    {
        public void Dispose() => _current = before;
    }

    private static TemplateException Limit(string what, string limit) => new($"the template {what} (limit {limit})") { IsLimit = true };
}
