using System.Text;
using Dsde.Batches.Reporting;
using Spectre.Console;

namespace Dsde.Batches.Tests.Reporting;

public sealed class TerminalProgressTests
{
    [Fact]
    public async Task A_terminal_gets_a_bar_with_the_numbers_behind_it()
    {
        using var written = new StringWriter();
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.Yes,
                Interactive = InteractionSupport.Yes,
                Out = new Terminal(written),
            }
        );
        var work = new TaskCompletionSource();
        var shown = 0;

        var showing = new ProgressDisplay(console, written, TimeProvider.System).ShowAsync(
            work.Task,
            4,
            () =>
            {
                if (++shown == 3)
                {
                    work.SetResult();
                }

                return new ProgressSample(Math.Min(shown, 4), 0, 123, 0.5, 3.5);
            }
        );
        await showing;

        written.ToString().ShouldContain("/4 jobs, 123 tokens/s, acceptance 50.0 %, mean speculation length 3.5");
        written.ToString().ShouldContain("\u001b");
    }

    private sealed class Terminal(TextWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => 140;

        public int Height => 40;

        public void SetEncoding(Encoding encoding)
        {
            // there is only one
        }
    }
}
