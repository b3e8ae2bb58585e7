using System.Numerics;
using Dsde.Templates.Library;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Operators;

/// <summary>The operators of expressions, with Python's rules for each kind of operand.</summary>
internal static class Arithmetic
{
    public static object? Apply(string sign, object? left, object? right, Budget budget)
    {
        RefuseUndefined(sign, left, right);
        return (sign, left, right) switch
        {
            ("+", Text a, Text b) => Join(a, b, budget),
            ("+", PyList a, PyList b) => new PyList(Join(a.Items, b.Items, budget)),
            ("+", PyTuple a, PyTuple b) => new PyTuple(Join(a.Items, b.Items, budget)),
            ("*", Text or PyList or PyTuple, bool or BigInteger) => Repeat(left, Numbers.ToIndex(right)!.Value, budget),
            ("*", bool or BigInteger, Text or PyList or PyTuple) => Repeat(right, Numbers.ToIndex(left)!.Value, budget),
            ("%", Text format, _) => PercentFormat.Apply(format, right, budget),
            _ when Numbers.Is(left) && Numbers.Is(right) => left is double || right is double || sign == "/"
                ? Divide(sign, left, right)
                : Whole(sign, Numbers.ToIndex(left)!.Value, Numbers.ToIndex(right)!.Value),
            _ => throw new TemplateException($"unsupported operand type(s) for {sign}: '{Kind.Of(left)}' and '{Kind.Of(right)}'"),
        };
    }

    public static object Negate(object? value) =>
        value switch
        {
            double number => -number,
            Undefined undefined => throw undefined.Refuse(),
            _ => -(Numbers.ToIndex(value) ?? throw new TemplateException($"bad operand type for unary -: '{Kind.Of(value)}'")),
        };

    public static object Affirm(object? value) =>
        value switch
        {
            double number => number,
            Undefined undefined => throw undefined.Refuse(),
            _ => Numbers.ToIndex(value) ?? throw new TemplateException($"bad operand type for unary +: '{Kind.Of(value)}'"),
        };

    /// <summary>One text behind another; what is added to HTML is escaped.</summary>
    public static Text Join(Text left, Text right, Budget budget)
    {
        var isMarkup = left.IsMarkup || right.IsMarkup;
        var text = new TextBuilder(budget);
        text.Append(isMarkup && !left.IsMarkup ? Html.Escape(left, budget) : left);
        text.Append(isMarkup && !right.IsMarkup ? Html.Escape(right, budget) : right);
        return text.ToText().AsMarkup(isMarkup);
    }

    private static void RefuseUndefined(string sign, object? left, object? right)
    {
        if (left is Undefined first)
        {
            throw first.Refuse();
        }

        if (right is Undefined second && !(sign == "%" && left is Text))
        {
            throw second.Refuse();
        }
    }

    private static List<object?> Join(IReadOnlyList<object?> left, IReadOnlyList<object?> right, Budget budget)
    {
        budget.Step(left.Count + right.Count);
        return [.. left, .. right];
    }

    private static object Repeat(object? value, BigInteger times, Budget budget)
    {
        if (BigInteger.Abs(times) > long.MaxValue)
        {
            throw new TemplateException("cannot fit 'int' into an index-sized integer");
        }

        var length = value is Text text ? text.Length : Items.Count(value);
        var count = length == 0 || times <= 0 ? BigInteger.Zero : times;
        if (value is Text part)
        {
            budget.ChargeText((long)BigInteger.Min(count * length, long.MaxValue), 0);
            var result = new TextBuilder(budget);
            for (var i = 0; i < count; i++)
            {
                result.Append(part);
            }

            return result.ToText().AsMarkup(part.IsMarkup);
        }

        budget.Step((long)BigInteger.Min(count * length, long.MaxValue / 2));
        var items = Enumerable.Repeat(Items.Of(value).ToList(), (int)count).SelectMany(list => list).ToList();
        return value is PyTuple ? new PyTuple(items) : new PyList(items);
    }

    private static object Whole(string sign, BigInteger left, BigInteger right)
    {
        switch (sign)
        {
            case "+":
                return left + right;
            case "-":
                return left - right;
            case "*":
                Budget.CheckNumber(left.GetBitLength() + right.GetBitLength());
                return left * right;
            case "//":
                Budget.CheckNumber(left.GetBitLength());
                return FloorDivide(left, right);
            case "%":
                Budget.CheckNumber(left.GetBitLength());
                return left - (FloorDivide(left, right) * right);
            case "**" when right.Sign >= 0:
                Budget.CheckNumber(BigInteger.Abs(left) <= 1 ? 1 : left.GetBitLength() * right);
                return BigInteger.Abs(left) <= 1 ? SmallPower(left, right) : BigInteger.Pow(left, (int)right);
            case "**" when left.IsZero:
                throw new TemplateException("0.0 cannot be raised to a negative power");
            case "**":
                return Math.Pow(Numbers.ToDouble(left), Numbers.ToDouble(right));
            default:
                throw new ArgumentOutOfRangeException(nameof(sign));
        }
    }

    private static BigInteger SmallPower(BigInteger number, BigInteger power) =>
        power.IsZero || (number.Sign < 0 && power.IsEven) ? BigInteger.One : number;

    private static BigInteger FloorDivide(BigInteger left, BigInteger right)
    {
        if (right.IsZero)
        {
            throw new TemplateException("integer division or modulo by zero");
        }

        var quotient = BigInteger.DivRem(left, right, out var rest);
        return !rest.IsZero && rest.Sign != right.Sign ? quotient - 1 : quotient;
    }

    private static object Divide(string sign, object? left, object? right)
    {
        if (sign == "/" && left is not double && right is not double)
        {
            return DivideExactly(Numbers.ToIndex(left)!.Value, Numbers.ToIndex(right)!.Value);
        }

        var (a, b) = (Numbers.ToDouble(left), Numbers.ToDouble(right));
        return sign switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => b != 0 ? a / b : throw new TemplateException("float division by zero"),
            "//" => b != 0 ? FloorAndRest(a, b).Quotient : throw new TemplateException("float floor division by zero"),
            "%" => b != 0 ? FloorAndRest(a, b).Modulus : throw new TemplateException("float modulo by zero"),
            _ => Power(a, b),
        };
    }

    private static object Power(double number, double power)
    {
        var result = Math.Pow(number, power);
        return number == 0 && power < 0 ? throw new TemplateException("0.0 cannot be raised to a negative power")
            : number < 0 && double.IsFinite(power) && !double.IsInteger(power)
                ? throw new TemplateException("a negative number to a broken power is complex, which templates don't have")
            : double.IsInfinity(result) && double.IsFinite(number) && double.IsFinite(power)
                ? throw new TemplateException("the result of ** is too large")
            : result;
    }

    private static (double Quotient, double Modulus) FloorAndRest(double left, double right)
    {
        var rest = left % right;
        var quotient = (left - rest) / right;
        if (rest != 0)
        {
            if ((right < 0) != (rest < 0))
            {
                rest += right;
                quotient -= 1;
            }
        }
        else
        {
            rest = Math.CopySign(0, right);
        }

        if (quotient == 0)
        {
            return (Math.CopySign(0, left / right), rest);
        }

        var floor = Math.Floor(quotient);
        return (quotient - floor > 0.5 ? floor + 1 : floor, rest);
    }

    /// <summary>The quotient of whole numbers, rounded once, however large they are.</summary>
    private static object DivideExactly(BigInteger left, BigInteger right)
    {
        if (right.IsZero)
        {
            throw new TemplateException("division by zero");
        }

        const int ExactBits = 53;
        if (left.GetBitLength() <= ExactBits && right.GetBitLength() <= ExactBits)
        {
            return (double)left / (double)right;
        }

        if (left.IsZero)
        {
            return 0.0;
        }

        var shift = (int)(right.GetBitLength() - left.GetBitLength()) + 66;
        var quotient =
            shift >= 0
                ? BigInteger.DivRem(BigInteger.Abs(left) << shift, BigInteger.Abs(right), out var rest)
                : BigInteger.DivRem(BigInteger.Abs(left), BigInteger.Abs(right) << -shift, out rest);
        var sticky = rest.IsZero ? quotient : quotient | 1;
        var result = Math.ScaleB(Numbers.ToDouble(sticky), -shift);
        return double.IsFinite(result)
            ? (left.Sign == right.Sign ? result : -result)
            : throw new TemplateException("integer division result too large for a float");
    }
}
