using Dsde.Templates.Running;

namespace Dsde.Templates.Values;

/// <summary>A string that knows which of its characters the template wrote. Two are equal if their characters are.</summary>
internal sealed class Text
{
    public static readonly Text Empty = new("", Origin.Template);

    private Text(string value, Origin origin, bool isMarkup = false)
    {
        Value = value;
        Origin = origin;
        IsMarkup = isMarkup;
    }

    public string Value { get; }

    public Origin Origin { get; }

    /// <summary>Whether it counts as HTML, to which other text is added escaped.</summary>
    public bool IsMarkup { get; }

    public int Length => Value.Length;

    public static Text FromTemplate(string value) => new(value, Origin.Template);

    public static Text FromData(string value) => new(value, Origin.Data);

    public static Text Of(string value, Origin origin) => new(value, origin);

    /// <summary>A text made of others in a way that keeps no places: the template's only if all of them are.</summary>
    public static Text Mixed(string value, params ReadOnlySpan<Text> sources)
    {
        var origin = Origin.Template;
        foreach (var source in sources)
        {
            if (source.Length > 0 && !(source.Origin.IsUniform && source.Origin.BeginsAsTemplate))
            {
                origin = Origin.Data;
            }
        }

        return new Text(value, origin);
    }

    public Text AsMarkup(bool isMarkup = true) => isMarkup == IsMarkup ? this : new Text(Value, Origin, isMarkup);

    /// <summary>Another spelling of the same characters, place by place if the length allows that.</summary>
    public Text Respell(string value)
    {
        Budget.Current.ChargeText(value.Length, value.Length);
        return value == Value ? this
            : value.Length == Length ? new Text(value, Origin, IsMarkup)
            : Mixed(value, this).AsMarkup(IsMarkup);
    }

    public Text Slice(int start, int length)
    {
        if (start == 0 && length == Length)
        {
            return this;
        }

        Budget.Current.ChargeText(length, length);
        return length == 0 ? Empty.AsMarkup(IsMarkup) : new Text(Value.Substring(start, length), Origin.Slice(start, length), IsMarkup);
    }

    public override string ToString() => Value;
}
