using System.Text;
using Dsde.Templates.Running;

namespace Dsde.Templates.Values;

/// <summary>Puts texts together and keeps their origins.</summary>
internal sealed class TextBuilder(Budget budget)
{
    private readonly StringBuilder _text = new();
    private readonly List<int> _changes = [];
    private bool _beginsAsTemplate = true;
    private bool _isTemplate = true;

    public int Length => _text.Length;

    public void Append(Text text)
    {
        if (text.Length == 0)
        {
            return;
        }

        budget.ChargeText(_text.Length + (long)text.Length, text.Length);
        var start = _text.Length;
        Turn(start, text.Origin.BeginsAsTemplate);
        foreach (var change in text.Origin.Changes)
        {
            Turn(start + change, !_isTemplate);
        }

        _text.Append(text.Value);
    }

    public void AppendTemplate(string text) => Append(Text.FromTemplate(text));

    public Text ToText() => Text.Of(_text.ToString(), new Origin(_beginsAsTemplate, [.. _changes]));

    private void Turn(int place, bool isTemplate)
    {
        if (place == 0)
        {
            _beginsAsTemplate = isTemplate;
        }
        else if (isTemplate != _isTemplate)
        {
            _changes.Add(place);
        }

        _isTemplate = isTemplate;
    }
}
