using Dsde.Batches.Reporting;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;

namespace Dsde.Batches.Tests.Reporting;

public sealed class ProgressDisplayTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly StringWriter _output = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public async Task Off_a_terminal_a_line_is_written_every_five_seconds_and_at_the_end()
    {
        var work = new TaskCompletionSource();
        var ended = 0;
        using var samples = new SemaphoreSlim(0);
        var shown = CreateSut()
            .ShowAsync(
                work.Task,
                3,
                () =>
                {
                    samples.Release();
                    return new ProgressSample(ended, 0, 10.4, 0.7123, 4.14);
                }
            );
        (await samples.WaitAsync(Patience, TestContext.Current.CancellationToken)).ShouldBeTrue();

        ended = 1;
        _time.Advance(TimeSpan.FromSeconds(4.9));
        samples.CurrentCount.ShouldBe(0);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        (await samples.WaitAsync(Patience, TestContext.Current.CancellationToken)).ShouldBeTrue();

        ended = 3;
        work.SetResult();
        await shown;
        Lines().Select(line => line[..3]).ShouldBe(["0/3", "1/3", "3/3"]);
        Lines()[0].ShouldBe("0/3 jobs, 10 tokens/s, acceptance 71.2 %, mean speculation length 4.1");
    }

    [Fact]
    public async Task What_went_wrong_in_the_work_reaches_the_caller()
    {
        var shown = CreateSut().ShowAsync(Task.FromException(new IOException("disk full")), 3, () => default);

        (await shown.ShouldThrowAsync<IOException>()).Message.ShouldBe("disk full");
    }

    [Fact]
    public void Failures_are_said_once_there_are_some()
    {
        ProgressDisplay.Describe(new ProgressSample(2, 1, 0, null, null), 3).ShouldBe("2/3 jobs, 0 tokens/s, 1 failed");
    }

    private ProgressDisplay CreateSut() =>
        new(
            AnsiConsole.Create(
                new AnsiConsoleSettings
                {
                    Ansi = AnsiSupport.No,
                    Interactive = InteractionSupport.No,
                    Out = new AnsiConsoleOutput(_output),
                }
            ),
            _output,
            _time
        );

    private string[] Lines() => _output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
}
