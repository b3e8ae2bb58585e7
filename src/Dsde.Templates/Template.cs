using Dsde.Templates.Library;
using Dsde.Templates.Running;
using Dsde.Templates.Syntax;

namespace Dsde.Templates;

/// <summary>
/// A chat template: a program in Jinja, run as transformers runs it (sandboxed, nothing can be changed but namespaces, <c>trim_blocks</c>
/// and <c>lstrip_blocks</c> on, loop controls, <c>generation</c> blocks). Safe for concurrent use.
/// </summary>
public sealed class Template
{
    private readonly Program _program;
    private readonly TemplateLimits _limits;

    private Template(Program program, TemplateLimits limits)
    {
        _program = program;
        _limits = limits;
    }

    /// <summary>
    /// Names of variables that the template reads and does not set itself, those of functions that it has anyway left out.
    /// </summary>
    public IEnumerable<string> Inputs => _program.Names.Inputs.Where(name => !Globals.All.ContainsKey(name));

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">It is none, or wants what is not supported.</exception>
    public static Template Parse(string source, TemplateLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        var bounds = limits ?? new TemplateLimits();
        var budget = new Budget(bounds);
        using var use = budget.Use();
        budget.ChargeText(source.Length, source.Length);
        return new Template(Program.Of(Parser.Parse(source, bounds.MaxDepth), bounds.MaxDepth), bounds);
    }

    /// <summary>Runs it.</summary>
    /// <param name="variables">What it is given, by name.</param>
    /// <param name="time">For <c>strftime_now</c>.</param>
    /// <param name="limits">How much it may do; null for what it was read with.</param>
    /// <exception cref="TemplateException">It refuses, or goes wrong, or takes more than the limits allow.</exception>
    public RenderedText Render(IReadOnlyDictionary<string, TemplateValue> variables, TimeProvider time, TemplateLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(variables);
        ArgumentNullException.ThrowIfNull(time);
        var given = new Scope(null);
        foreach (var (name, value) in variables)
        {
            given.Set(name, value.Value);
        }

        return new RenderedText(new Machine(_program, given, time, new Budget(limits ?? _limits)).Render());
    }
}
