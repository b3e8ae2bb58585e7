namespace Dsde.ModelForge.Corpus;

/// <summary>Words that several workloads share.</summary>
internal static class Words
{
    public static readonly string[] Girls =
    [
        "Mia",
        "Lena",
        "Ada",
        "Nora",
        "Ruth",
        "Sara",
        "Ivy",
        "Clara",
        "Zoe",
        "Emma",
        "Tessa",
        "Amina",
        "Lucy",
        "Maya",
        "Hana",
        "Rosa",
        "Vera",
        "Elsa",
        "Dina",
        "June",
    ];

    public static readonly string[] Boys =
    [
        "Tom",
        "Ben",
        "Max",
        "Leo",
        "Sam",
        "Otto",
        "Finn",
        "Omar",
        "Paul",
        "Jack",
        "Noah",
        "Karl",
        "Luis",
        "Adam",
        "Ravi",
        "Hugo",
        "Ivan",
        "Milo",
        "Theo",
        "Dan",
    ];

    public static readonly string[] Surnames =
    [
        "Keller",
        "Novak",
        "Silva",
        "Brown",
        "Tanaka",
        "Rossi",
        "Meyer",
        "Olsen",
        "Khan",
        "Moreau",
        "Walsh",
        "Lopez",
        "Berg",
        "Sato",
        "Costa",
        "Young",
    ];

    public static readonly string[] Cities =
    [
        "Oslo",
        "Lima",
        "Cairo",
        "Paris",
        "Madrid",
        "Berlin",
        "Tokyo",
        "Rome",
        "Vienna",
        "Dublin",
        "Porto",
        "Delhi",
        "Prague",
        "Quito",
        "Athens",
        "Turin",
    ];

    /// <summary>Things one can count, singular and plural.</summary>
    public static readonly (string One, string Many)[] Things =
    [
        ("apple", "apples"),
        ("pear", "pears"),
        ("book", "books"),
        ("marble", "marbles"),
        ("stamp", "stamps"),
        ("shell", "shells"),
        ("coin", "coins"),
        ("egg", "eggs"),
        ("pencil", "pencils"),
        ("card", "cards"),
        ("cookie", "cookies"),
        ("button", "buttons"),
        ("flower", "flowers"),
        ("stone", "stones"),
        ("ticket", "tickets"),
        ("orange", "oranges"),
        ("sticker", "stickers"),
        ("balloon", "balloons"),
        ("candle", "candles"),
        ("cup", "cups"),
    ];

    public static readonly string[] Colours = ["red", "blue", "green", "yellow", "white", "black", "brown", "purple", "silver", "golden"];

    /// <summary>The indefinite article for a word.</summary>
    public static string A(string word) => ("aeiou".Contains(word[0], StringComparison.Ordinal) ? "an " : "a ") + word;

    /// <summary>The text with its first letter large.</summary>
    public static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>A count and its noun.</summary>
    public static string Count(int number, (string One, string Many) thing) => $"{number} {(number == 1 ? thing.One : thing.Many)}";
}
