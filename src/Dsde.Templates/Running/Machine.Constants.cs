using Dsde.Templates.Library;
using Dsde.Templates.Operators;
using Dsde.Templates.Syntax;
using Dsde.Templates.Values;

namespace Dsde.Templates.Running;

/// <summary>Constant expressions with slices in them, which Jinja computes more patiently than others.</summary>
internal sealed partial class Machine
{
    /// <summary>Filters that see more than their operand, so that what they make is not constant.</summary>
    private static readonly string[] ContextFilters = ["map", "random", "reject", "rejectattr", "select", "selectattr"];

    private bool _isFolding;

    /// <summary>Computes an expression as a constant.</summary>
    /// <param name="expression">Any expression.</param>
    /// <param name="scope">Where it stands.</param>
    /// <param name="isPrinted">Whether it is printed as it is: then the value may be of any kind, also undefined.</param>
    /// <param name="value">Its value.</param>
    /// <returns>Whether it is one.</returns>
    private bool TryFold(Expression expression, Scope scope, bool isPrinted, out object? value)
    {
        value = null;
        if (_isFolding || !program.ConstantSlices.Contains(expression))
        {
            return false;
        }

        var depth = Budget.Depth;
        _isFolding = true;
        try
        {
            value = EvaluateUncounted(expression, scope);
            return isPrinted || IsWritable(value);
        }
        catch (TemplateException exception) when (!exception.IsLimit)
        {
            Budget.Depth = depth;
            return false;
        }
        finally
        {
            _isFolding = false;
        }
    }

    /// <summary>Whether a value could be written into a program.</summary>
    private static bool IsWritable(object? value) =>
        value switch
        {
            PyList list => list.Items.All(IsWritable),
            PyTuple tuple => tuple.Items.All(IsWritable),
            PyDict dict => dict.Entries.All(entry => IsWritable(entry.Key) && IsWritable(entry.Value)),
            null or bool or System.Numerics.BigInteger or double or Text or PyRange => true,
            _ => false,
        };

    private object? Slice(SliceAccess slice, Scope scope)
    {
        var owner = Evaluate(slice.Owner, scope);
        var (start, stop, step) = (
            EvaluateOrNone(slice.Start, scope),
            EvaluateOrNone(slice.Stop, scope),
            EvaluateOrNone(slice.Step, scope)
        );
        return _isFolding && owner is not Undefined && !Access.CanSlice(owner, start, stop, step)
            ? Undefined.Missing(owner, null)
            : Access.Slice(owner, start, stop, step, Budget);
    }

    /// <summary>While a constant is computed, for what has no value then.</summary>
    private void RequireConstant(bool isConstant)
    {
        if (_isFolding && !isConstant)
        {
            throw new TemplateException("this is not constant");
        }
    }
}
