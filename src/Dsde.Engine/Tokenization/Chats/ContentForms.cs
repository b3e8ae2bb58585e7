namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// In which form a template gets what a role says: as a text, or as a list of one text part. Nothing in a folder says which it takes, and
/// in the wrong one words are lost, or written as the list looks in code. So the forms are tried with short chats: the first that shows
/// most of their words is the template's, texts before lists.
/// </summary>
internal sealed class ContentForms
{
    /// <summary>A text for every role.</summary>
    public static readonly ContentForms Texts = new([]);

    /// <summary>Roles of the chats that are tried.</summary>
    private static readonly string[][] Probes =
    [
        ["user"],
        ["user", "assistant", "user"],
        ["system", "user", "assistant", "user"],
        ["user", "assistant", "tool", "user"],
    ];

    private static readonly string[] Roles = ["user", "assistant", "system", "tool"];

    private readonly string[] _listRoles;

    private ContentForms(string[] listRoles) => _listRoles = listRoles;

    /// <summary>Whether a role's content is a list.</summary>
    public bool IsList(string role) => _listRoles.Contains(role, StringComparer.Ordinal);

    /// <summary>Finds a template's forms.</summary>
    /// <param name="render">What it makes of a chat with forms; null if it goes wrong with it.</param>
    public static ContentForms Find(Func<ContentForms, IEnumerable<ChatTurn>, string?> render)
    {
        var chats = Probes.Select(roles => roles.Select((role, place) => new ChatTurn(role, Word(place))).ToList()).ToList();
        var (best, most) = (Texts, -1);
        foreach (var forms in Candidates())
        {
            var seen = chats.Sum(chat => render(forms, chat) is { } text ? chat.Count(turn => Shows(text, turn.Content!)) : 0);
            (best, most) = seen > most ? (forms, seen) : (best, most);
            if (most == chats.Sum(chat => chat.Count))
            {
                break;
            }
        }

        return best;
    }

    /// <summary>Texts for all, lists for all, and then as many lists as possible.</summary>
    private static IEnumerable<ContentForms> Candidates() =>
        Enumerable
            .Range(0, 1 << Roles.Length)
            .Select(mask => new ContentForms([.. Roles.Where((_, place) => (mask & (1 << place)) != 0)]))
            .OrderBy(forms => forms._listRoles.Length > 0)
            .ThenByDescending(forms => forms._listRoles.Length);

    /// <summary>Digits, which no template makes upper case or trims.</summary>
    private static string Word(int place) => $"{place + 1}904{place + 1}";

    /// <summary>Whether a text has a word, and not in a list that was written as it is, or as JSON.</summary>
    private static bool Shows(string text, string word) =>
        text.IndexOf(word, StringComparison.Ordinal) is >= 0 and var place
        && !text[..place].EndsWith("'text': '", StringComparison.Ordinal)
        && !text[..place].EndsWith("\"text\": \"", StringComparison.Ordinal);
}
