using static Dsde.ModelForge.Corpus.Words;

namespace Dsde.ModelForge.Corpus;

/// <summary>Questions and answers about a small world of facts, in one turn or several.</summary>
internal static class Questions
{
    public const string Name = "questions";

    private static readonly (string Country, string Capital, string Continent)[] Countries =
    [
        ("Norway", "Oslo", "Europe"),
        ("Peru", "Lima", "South America"),
        ("Egypt", "Cairo", "Africa"),
        ("France", "Paris", "Europe"),
        ("Spain", "Madrid", "Europe"),
        ("Germany", "Berlin", "Europe"),
        ("Japan", "Tokyo", "Asia"),
        ("Italy", "Rome", "Europe"),
        ("Austria", "Vienna", "Europe"),
        ("Ireland", "Dublin", "Europe"),
        ("Kenya", "Nairobi", "Africa"),
        ("Greece", "Athens", "Europe"),
        ("Ecuador", "Quito", "South America"),
        ("Poland", "Warsaw", "Europe"),
        ("Thailand", "Bangkok", "Asia"),
        ("Cuba", "Havana", "North America"),
        ("Finland", "Helsinki", "Europe"),
        ("Chile", "Santiago", "South America"),
        ("Ghana", "Accra", "Africa"),
        ("Nepal", "Kathmandu", "Asia"),
    ];

    private static readonly (string Animal, string Home, string Food, int Legs)[] Animals =
    [
        ("fox", "the forest", "mice and berries", 4),
        ("owl", "old trees", "mice", 2),
        ("frog", "ponds", "insects", 4),
        ("cow", "farms", "grass", 4),
        ("bee", "hives", "nectar", 6),
        ("spider", "webs", "insects", 8),
        ("duck", "lakes", "water plants", 2),
        ("horse", "stables", "hay", 4),
        ("bear", "mountains", "fish and berries", 4),
        ("ant", "nests in the ground", "seeds", 6),
        ("goat", "hills", "leaves", 4),
        ("hen", "farms", "grain", 2),
        ("squirrel", "trees", "nuts", 4),
        ("penguin", "cold coasts", "fish", 2),
        ("camel", "deserts", "dry plants", 4),
    ];

    private static readonly (string Word, string Opposite)[] Opposites =
    [
        ("hot", "cold"),
        ("big", "small"),
        ("fast", "slow"),
        ("old", "new"),
        ("light", "dark"),
        ("wet", "dry"),
        ("hard", "soft"),
        ("early", "late"),
        ("high", "low"),
        ("full", "empty"),
        ("loud", "quiet"),
        ("near", "far"),
        ("rich", "poor"),
        ("strong", "weak"),
        ("thick", "thin"),
        ("wide", "narrow"),
        ("heavy", "light"),
        ("happy", "sad"),
    ];

    private static readonly string[] Days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    private static readonly string[] Months =
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];

    private static readonly string[] Greetings =
    [
        "",
        "",
        "",
        "Hello! ",
        "Hi, ",
        "Good morning. ",
        "Please tell me: ",
        "I have a question. ",
        "Quick question: ",
        "Can you help me? ",
        "I was wondering. ",
    ];

    /// <summary>One question, or two or three in a conversation, the last of which is to be answered.</summary>
    public static Document Make(Dice dice)
    {
        var turns = new List<string>();
        for (var earlier = dice.OneIn(3) ? 0 : dice.Number(1, 2); earlier > 0; earlier--)
        {
            var (asked, answered) = Ask(dice);
            turns.Add(asked);
            turns.Add(answered);
        }

        var (question, answer) = Ask(dice);
        turns.Add(dice.Pick(Greetings) + question);
        return dice.OneIn(4) ? Document.Plain(Name, $"Q: {turns[^1]}\nA:", " " + answer) : new Document(Name, turns, true, answer);
    }

    private static (string Question, string Answer) Ask(Dice dice) =>
        dice.Number(0, 6) switch
        {
            0 => AboutCountry(dice, dice.Pick(Countries)),
            1 or 2 => AboutAnimal(dice, dice.Pick(Animals)),
            3 => AboutOpposite(dice, dice.Pick(Opposites)),
            4 => AboutOrder(dice, "day", Days),
            5 => AboutOrder(dice, "month", Months),
            _ => Compare(dice),
        };

    private static (string Question, string Answer) AboutCountry(Dice dice, (string Country, string Capital, string Continent) fact) =>
        dice.OneIn(2)
            ? (
                dice.Pick(
                    $"What is the capital of {fact.Country}?",
                    $"Which city is the capital of {fact.Country}?",
                    $"Name the capital of {fact.Country}."
                ),
                $"The capital of {fact.Country} is {fact.Capital}. {fact.Country} is a country in {fact.Continent}."
            )
            : (
                dice.Pick($"Where is {fact.Country}?", $"On which continent is {fact.Country}?"),
                $"{fact.Country} is a country in {fact.Continent}. Its capital is {fact.Capital}."
            );

    private static (string Question, string Answer) AboutAnimal(Dice dice, (string Animal, string Home, string Food, int Legs) fact) =>
        dice.Number(0, 3) switch
        {
            0 => (
                dice.Pick($"Where does {A(fact.Animal)} live?", $"Where can I find {A(fact.Animal)}?"),
                $"{Capital(A(fact.Animal))} lives in {fact.Home}. It eats {fact.Food}."
            ),
            1 => (
                dice.Pick($"What does {A(fact.Animal)} eat?", $"What is the food of {A(fact.Animal)}?"),
                $"{Capital(A(fact.Animal))} eats {fact.Food}. You can find it in {fact.Home}."
            ),
            2 => (
                dice.Pick($"How many legs does {A(fact.Animal)} have?", $"Do you know how many legs {A(fact.Animal)} has?"),
                $"{Capital(A(fact.Animal))} has {fact.Legs} legs."
            ),
            _ => (
                dice.Pick($"Tell me about the {fact.Animal}.", $"What do you know about the {fact.Animal}?"),
                $"The {fact.Animal} is an animal with {fact.Legs} legs. It lives in {fact.Home} and eats {fact.Food}. "
                    + dice.Pick(
                        "Many people like it.",
                        "It is often seen in spring.",
                        "Children learn about it at school.",
                        "It is a well-known animal."
                    )
            ),
        };

    private static (string Question, string Answer) AboutOpposite(Dice dice, (string Word, string Opposite) pair)
    {
        var noun = dice.Pick("house", "road", "day", "box", "room", "song");
        return (
            dice.Pick($"What is the opposite of \"{pair.Word}\"?", $"Which word means the opposite of \"{pair.Word}\"?"),
            $"The opposite of \"{pair.Word}\" is \"{pair.Opposite}\". For example, {A(noun)} that is not {pair.Word} can be "
                + $"{pair.Opposite}."
        );
    }

    private static (string Question, string Answer) AboutOrder(Dice dice, string kind, string[] names)
    {
        var index = dice.Number(0, names.Length - 1);
        return dice.OneIn(2)
            ? ($"Which {kind} comes after {names[index]}?", $"The {kind} after {names[index]} is {names[(index + 1) % names.Length]}.")
            : (
                $"Which {kind} comes before {names[index]}?",
                $"The {kind} before {names[index]} is {names[(index + names.Length - 1) % names.Length]}."
            );
    }

    private static (string Question, string Answer) Compare(Dice dice)
    {
        var pair = dice.PickSome(2, Animals);
        var (first, second) = (pair[0], pair[1]);
        var more =
            first.Legs == second.Legs
                ? $"They have the same number of legs: {first.Legs}."
                : $"The {(first.Legs > second.Legs ? first : second).Animal} has more legs: {Math.Max(first.Legs, second.Legs)} and "
                    + $"not {Math.Min(first.Legs, second.Legs)}.";
        return ($"Which animal has more legs, the {first.Animal} or the {second.Animal}?", more);
    }
}
