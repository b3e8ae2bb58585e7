using System.Text;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// Collects the ids of a chat. Text between two markers is encoded as one, because tokens may cross from the template's text into content.
/// </summary>
internal sealed class ChatWriter
{
    private readonly Tokenizer _tokenizer;
    private readonly IReadOnlyDictionary<string, int> _markers;
    private readonly List<int> _ids = [];
    private readonly StringBuilder _text = new();

    /// <param name="tokenizer">Encodes text.</param>
    /// <param name="markers">Ids of the template's markers, and of others it may use, by their text.</param>
    public ChatWriter(Tokenizer tokenizer, IReadOnlyDictionary<string, int> markers)
    {
        _tokenizer = tokenizer;
        _markers = markers;
    }

    /// <summary>Writes a marker: one token.</summary>
    public ChatWriter Marker(string marker)
    {
        Flush();
        _ids.Add(_markers[marker]);
        return this;
    }

    /// <summary>Writes a marker that is a token to some models of the family and plain text to others.</summary>
    public ChatWriter MarkerOrText(string marker) => _markers.ContainsKey(marker) ? Marker(marker) : Text(marker);

    /// <summary>Writes text of the template or of a turn.</summary>
    public ChatWriter Text(string text)
    {
        _text.Append(text);
        return this;
    }

    /// <summary>All ids so far.</summary>
    public IReadOnlyList<int> Finish()
    {
        Flush();
        return _ids;
    }

    private void Flush()
    {
        if (_text.Length > 0)
        {
            _ids.AddRange(_tokenizer.Encode(_text.ToString(), isFirst: _ids.Count == 0));
            _text.Clear();
        }
    }
}
