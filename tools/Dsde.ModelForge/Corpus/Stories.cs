using static Dsde.ModelForge.Corpus.Words;

namespace Dsde.ModelForge.Corpus;

/// <summary>Very short stories: free choice of words at every turn, the least predictable of the workloads.</summary>
internal static class Stories
{
    public const string Name = "stories";

    private static readonly string[] Animals =
    [
        "fox",
        "bear",
        "rabbit",
        "mouse",
        "owl",
        "duck",
        "cat",
        "dog",
        "frog",
        "turtle",
        "goat",
        "hedgehog",
        "squirrel",
        "crow",
        "horse",
        "lamb",
    ];
    private static readonly string[] Traits =
    [
        "brave",
        "shy",
        "curious",
        "clever",
        "lonely",
        "cheerful",
        "stubborn",
        "gentle",
        "sleepy",
        "proud",
        "tiny",
        "careful",
        "noisy",
        "kind",
    ];
    private static readonly string[] Places =
    [
        "the forest",
        "the old harbour",
        "a quiet valley",
        "the market",
        "a small village",
        "the mountains",
        "the riverbank",
        "a green meadow",
        "the castle garden",
        "the windy coast",
        "a narrow street",
        "the orchard",
    ];
    private static readonly string[] Objects =
    [
        "lantern",
        "key",
        "map",
        "kite",
        "drum",
        "boat",
        "mirror",
        "blanket",
        "whistle",
        "letter",
        "bell",
        "basket",
        "ring",
        "clock",
        "umbrella",
        "feather",
    ];
    private static readonly string[] Weathers =
    [
        "The rain fell softly",
        "The sun was bright",
        "A cold wind blew",
        "Snow covered the ground",
        "Mist lay over the fields",
        "The sky was full of stars",
        "The morning was warm",
        "Dark clouds gathered",
        "The moon was round and pale",
    ];
    private static readonly string[] Wishes =
    [
        "to see the sea",
        "to learn to sing",
        "to find a friend",
        "to build a house",
        "to fly above the hills",
        "to cross the river",
        "to win the race",
        "to bake a cake",
        "to hear a secret",
        "to sleep under the stars",
        "to bring a gift to grandmother",
        "to find the way home",
    ];
    private static readonly string[] Feelings =
    [
        "happy",
        "afraid",
        "sad",
        "surprised",
        "tired",
        "proud",
        "angry",
        "calm",
        "hopeful",
        "worried",
        "excited",
    ];
    private static readonly string[] Finds =
    [
        "under a stone",
        "behind a door",
        "near the well",
        "in a hollow tree",
        "beside the path",
        "on the top of a hill",
        "at the bottom of a box",
        "in the tall grass",
        "below the bridge",
    ];
    private static readonly string[] Troubles =
    [
        "the bridge was broken",
        "the door was locked",
        "the path was gone",
        "night came too early",
        "the water was too deep",
        "nobody would listen",
        "the bag was empty",
        "a loud noise filled the air",
        "the fire went out",
        "the wind took the hat away",
    ];
    private static readonly string[] Helps =
    [
        "showed a hidden path",
        "shared some bread",
        "told an old story",
        "carried the heavy bag",
        "sang a soft song",
        "held the light",
        "tied a strong rope",
        "asked the right question",
        "opened the gate",
        "waited until morning",
    ];
    private static readonly string[] Lessons =
    [
        "a friend is worth more than gold",
        "small steps lead far",
        "it is good to ask for help",
        "fear grows smaller when it is shared",
        "patience opens many doors",
        "kind words cost nothing",
        "every road has an end",
        "the best gifts are simple",
    ];

    /// <summary>A story of six to twelve sentences behind its opening, or behind the wish for one.</summary>
    public static Document Make(Dice dice)
    {
        var hero = Hero.Create(dice);
        var place = dice.Pick(Places);
        var thing = dice.Pick(Objects);
        if (dice.OneIn(2))
        {
            var wish = dice.Pick(
                $"Write a short story about {A(hero.Trait)} {hero.Kind} named {hero.Name} and {A(thing)}.",
                $"Tell me a story about {hero.Name}, {A(hero.Trait)} {hero.Kind} who finds {A(thing)}.",
                $"Please write a story that happens near {place}. It should be about {hero.Name} the {hero.Kind} and {A(thing)}."
            );
            return Document.Chat(Name, wish, Opening(dice, hero, place) + Rest(dice, hero, thing));
        }

        return Document.Plain(Name, "Story: " + Opening(dice, hero, place), Rest(dice, hero, thing));
    }

    private static string Opening(Dice dice, Hero hero, string place) =>
        dice.Pick(
            $"Once there was {A(hero.Trait)} {hero.Kind} named {hero.Name} who lived near {place}.",
            $"{hero.Name} was {A(hero.Trait)} {hero.Kind} who had a home near {place}.",
            $"Near {place} lived {A(hero.Trait)} {hero.Kind} called {hero.Name}.",
            $"Long ago, {A(hero.Trait)} {hero.Kind} named {hero.Name} came to {place}."
        );

    private static string Rest(Dice dice, Hero hero, string thing)
    {
        var friend = Hero.Create(dice);
        var sentences = new List<string>
        {
            dice.Pick(
                $"{hero.Pronoun} wanted {dice.Pick(Wishes)}.",
                $"More than anything, {hero.InnerPronoun} wished {dice.Pick(Wishes)}.",
                $"Every day {hero.InnerPronoun} dreamed about a way {dice.Pick(Wishes)}."
            ),
        };
        if (!dice.OneIn(3))
        {
            sentences.Add(
                dice.Pick(
                    $"{dice.Pick(Weathers)}, and {hero.Name} felt {dice.Pick(Feelings)}.",
                    $"One day {hero.Name} woke up early. {dice.Pick(Weathers)}.",
                    $"{dice.Pick(Weathers)} when {hero.InnerPronoun} set out."
                )
            );
        }

        var adjective = dice.Pick(Colours);
        sentences.Add(
            dice.Pick(
                $"{Capital(dice.Pick(Finds))} {hero.InnerPronoun} found {A(adjective)} {thing}.",
                $"{hero.Pronoun} found {A(adjective)} {thing} {dice.Pick(Finds)}.",
                $"Then something shone {dice.Pick(Finds)}. It was {A(adjective)} {thing}."
            )
        );
        if (dice.OneIn(2))
        {
            sentences.Add(
                dice.Pick(
                    $"\"What is this?\" asked {hero.Name}.",
                    $"\"I will keep it,\" said {hero.Name}.",
                    $"{hero.Pronoun} held the {thing} and felt {dice.Pick(Feelings)}.",
                    $"The {thing} was old and {dice.Pick("heavy", "light", "dusty", "warm", "cold", "smooth")}."
                )
            );
        }

        sentences.Add(
            dice.Pick(
                $"But {dice.Pick(Troubles)}.",
                $"Suddenly {dice.Pick(Troubles)}, and {hero.InnerPronoun} felt {dice.Pick(Feelings)}.",
                $"On the way home {dice.Pick(Troubles)}."
            )
        );
        sentences.Add(
            dice.Pick(
                $"{Capital(A(friend.Trait))} {friend.Kind} named {friend.Name} came by and {dice.Pick(Helps)}.",
                $"Then {hero.InnerPronoun} met {friend.Name}, {A(friend.Trait)} {friend.Kind}, who {dice.Pick(Helps)}.",
                $"\"Can you help me?\" {hero.InnerPronoun} asked. {friend.Name} the {friend.Kind} smiled and {dice.Pick(Helps)}."
            )
        );
        if (dice.OneIn(2))
        {
            sentences.Add(
                dice.Pick(
                    $"Together they walked through {dice.Pick(Places)}.",
                    $"They used the {thing} and it worked.",
                    $"{friend.Name} laughed, and {hero.Name} laughed too.",
                    $"\"Thank you,\" said {hero.Name}. \"You are {dice.Pick("kind", "clever", "brave", "a true friend")}.\""
                )
            );
        }

        sentences.Add(
            dice.Pick(
                $"In the end {hero.Name} learned that {dice.Pick(Lessons)}.",
                $"From that day on, {hero.Name} and {friend.Name} were friends.",
                $"That night {hero.Name} slept well, {dice.Pick(Feelings)} and warm.",
                $"{hero.Name} gave the {thing} to {friend.Name} and went home {dice.Pick(Feelings)}."
            )
        );
        return string.Concat(sentences.Select(sentence => " " + sentence)) + (dice.OneIn(3) ? " The end." : "");
    }

    /// <param name="Name">First name.</param>
    /// <param name="Kind">Child or animal.</param>
    /// <param name="Trait">Character.</param>
    /// <param name="Pronoun">At the beginning of a sentence.</param>
    private sealed record Hero(string Name, string Kind, string Trait, string Pronoun)
    {
        /// <summary>The pronoun inside a sentence.</summary>
        public string InnerPronoun => Pronoun.ToLowerInvariant();

        public static Hero Create(Dice dice)
        {
            var isGirl = dice.OneIn(2);
            return new Hero(
                isGirl ? dice.Pick(Girls) : dice.Pick(Boys),
                dice.OneIn(3) ? (isGirl ? "girl" : "boy") : dice.Pick(Animals),
                dice.Pick(Traits),
                isGirl ? "She" : "He"
            );
        }
    }
}
