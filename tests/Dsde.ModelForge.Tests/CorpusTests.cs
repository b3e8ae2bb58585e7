using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.ModelForge.Corpus;

namespace Dsde.ModelForge.Tests;

public sealed partial class CorpusTests
{
    private static readonly CorpusStream Training = new(1, Split.Train);
    private static readonly CorpusStream HeldOut = new(1, Split.HeldOut);

    [Fact]
    public void The_same_seed_gives_the_same_documents_and_another_seed_others()
    {
        var again = new CorpusStream(1, Split.Train);
        var other = new CorpusStream(2, Split.Train);

        Enumerable
            .Range(0, 50)
            .ShouldAllBe(number =>
                Training.At(number).PromptKey == again.At(number).PromptKey && Training.At(number).Completion == again.At(number).Completion
            );
        Enumerable.Range(0, 50).Count(number => Training.At(number).PromptKey == other.At(number).PromptKey).ShouldBeLessThan(5);
    }

    [Fact]
    public void No_held_out_prompt_comes_up_in_training()
    {
        var heldOut = Enumerable.Range(0, 500).Select(number => HeldOut.At(number).PromptKey).ToHashSet();

        Enumerable.Range(0, 20_000).Select(number => Training.At(number).PromptKey).ShouldNotContain(prompt => heldOut.Contains(prompt));
    }

    [Fact]
    public void Documents_vary()
    {
        foreach (var workload in CorpusStream.Workloads.Except([Questions.Name]))
        {
            Enumerable
                .Range(0, 400)
                .Select(number => Training.At(number, workload).PromptKey)
                .Distinct()
                .Count()
                .ShouldBeGreaterThan(200, workload);
        }
    }

    [Fact]
    public void Every_record_is_JSON() =>
        Enumerable
            .Range(0, 300)
            .Select(number => Training.At(number, Records.Name))
            .ShouldAllBe(document => IsJsonObject(document.Completion));

    [Fact]
    public void Every_worked_step_and_answer_is_right()
    {
        foreach (var document in Enumerable.Range(0, 500).Select(number => Training.At(number, Arithmetic.Name)))
        {
            var last = 0;
            foreach (Match step in Step().Matches(document.Completion))
            {
                var (left, right) = (int.Parse(step.Groups[1].Value), int.Parse(step.Groups[3].Value));
                last = step.Groups[2].Value switch
                {
                    "+" => left + right,
                    "-" => left - right,
                    _ => left * right,
                };
                step.Groups[4].Value.ShouldBe($"{last}", document.Completion);
                last.ShouldBeInRange(0, 130);
            }

            document.Completion.ShouldEndWith($"The answer is {last}.");
        }
    }

    private static bool IsJsonObject(string text)
    {
        using var json = JsonDocument.Parse(text);
        return json.RootElement.ValueKind == JsonValueKind.Object;
    }

    [GeneratedRegex(@"(\d+) ([-+*]) (\d+) = (\d+)\.")]
    private static partial Regex Step();
}
