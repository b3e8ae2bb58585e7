using static Dsde.ModelForge.Corpus.Words;

namespace Dsde.ModelForge.Corpus;

/// <summary>Word problems of one to three steps with the steps written out; all numbers stay below 100.</summary>
internal static class Arithmetic
{
    public const string Name = "arithmetic";

    /// <summary>A problem and its worked answer.</summary>
    public static Document Make(Dice dice)
    {
        var isGirl = dice.OneIn(2);
        var person = isGirl ? dice.Pick(Girls) : dice.Pick(Boys);
        var problem = new Problem(dice, person, isGirl ? "She" : "He", dice.Pick(Things));
        problem.Begin();
        for (var step = dice.Number(0, 2); step > 0; step--)
        {
            problem.Continue();
        }

        return dice.OneIn(2)
            ? Document.Chat(Name, problem.Question, problem.Answer)
            : Document.Plain(Name, $"Question: {problem.Question}\nAnswer:", " " + problem.Answer);
    }

    private sealed class Problem(Dice dice, string person, string they, (string One, string Many) thing)
    {
        private readonly List<string> _facts = [];
        private readonly List<string> _steps = [];
        private int _value;

        public string Question => string.Join(' ', _facts) + " " + $"How many {thing.Many} does {person} have now?";

        public string Answer => string.Join(' ', _steps) + $" The answer is {_value}.";

        public void Begin()
        {
            var (a, b) = (dice.Number(2, 40), dice.Number(2, 40));
            switch (dice.Number(0, 2))
            {
                case 0:
                    _facts.Add($"{person} has {Count(a, thing)} and finds {dice.Pick($"{b} more", Count(b, thing))}.");
                    AddStep(a, '+', b, $"{person} starts with {Count(a, thing)} and gets {b} more.");
                    break;
                case 1:
                    var lost = dice.Number(1, a - 1);
                    _facts.Add($"{person} has {Count(a, thing)} and {dice.Pick("gives away", "loses", "sells")} {lost}.");
                    AddStep(a, '-', lost, $"{person} starts with {Count(a, thing)} and {lost} are gone.");
                    break;
                default:
                    var (groups, each) = (dice.Number(2, 9), dice.Number(2, 9));
                    var container = dice.Pick("bags", "boxes", "baskets", "jars");
                    _facts.Add($"{person} has {groups} {container} with {each} {thing.Many} in each.");
                    AddStep(groups, '*', each, $"There are {groups} {container} with {each} {thing.Many} each.");
                    break;
            }
        }

        public void Continue()
        {
            var friend = dice.Pick(dice.Pick(Girls, Boys));
            if (_value > 3 && dice.OneIn(2))
            {
                var given = dice.Number(1, Math.Min(_value - 1, 30));
                _facts.Add(
                    dice.Pick(
                        $"{they} gives {given} to {friend}.",
                        $"Then {they.ToLowerInvariant()} gives {Count(given, thing)} to {friend}.",
                        $"{friend} takes {given} of them."
                    )
                );
                AddStep(_value, '-', given, $"{friend} gets {given}.");
            }
            else
            {
                var more = dice.Number(1, Math.Max(1, Math.Min(30, 98 - _value)));
                _facts.Add(
                    dice.Pick(
                        $"{they} buys {more} more.",
                        $"Then {friend} gives {(they == "She" ? "her" : "him")} {more} more.",
                        $"Later {they.ToLowerInvariant()} finds {Count(more, thing)}."
                    )
                );
                AddStep(_value, '+', more, $"Then {more} more are added.");
            }
        }

        private void AddStep(int left, char sign, int right, string reason)
        {
            _value = sign switch
            {
                '+' => left + right,
                '-' => left - right,
                _ => left * right,
            };
            _steps.Add($"{reason} {left} {sign} {right} = {_value}.");
        }
    }
}
