using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dsde.Templates.Running;

/// <summary>What is left of a rendering's limits.</summary>
internal sealed class Budget(TemplateLimits limits)
{
    private const int CharactersPerStep = 16;
    private const int MaxNumberBits = 1 << 16;

    private long _steps;

    /// <summary>Levels that are entered and not left.</summary>
    public int Depth { get; set; }

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
        if (bits > MaxNumberBits)
        {
            throw new TemplateException($"the template computes a number of more than {MaxNumberBits} bits") { IsLimit = true };
        }
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

    private static TemplateException Limit(string what, string limit) => new($"the template {what} (limit {limit})") { IsLimit = true };
}
