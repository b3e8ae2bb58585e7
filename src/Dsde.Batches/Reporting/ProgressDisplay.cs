using System.Globalization;
using Spectre.Console;

namespace Dsde.Batches.Reporting;

/// <summary>Shows how far a run is: a bar on a terminal, a line every few seconds elsewhere.</summary>
internal sealed class ProgressDisplay(IAnsiConsole console, TextWriter output, TimeProvider time)
{
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    /// <summary>Shows samples until <paramref name="work"/> is done.</summary>
    public async Task ShowAsync(Task work, int total, Func<ProgressSample> sample)
    {
        if (console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal)
        {
            await console
                .Progress()
                .Columns(
                    new ProgressBarColumn(),
                    new PercentageColumn(),
                    new ElapsedTimeColumn(),
                    new TaskDescriptionColumn { Alignment = Justify.Left }
                )
                .StartAsync(async context =>
                {
                    var bar = context.AddTask(Markup.Escape(Describe(sample(), total)), maxValue: Math.Max(1, total));
                    await PollAsync(
                        work,
                        BarInterval,
                        () =>
                        {
                            var now = sample();
                            bar.Value = now.Ended;
                            bar.Description = Markup.Escape(Describe(now, total));
                        }
                    );
                });
        }
        else
        {
            await PollAsync(work, LineInterval, () => output.WriteLine(Describe(sample(), total)));
        }

        await work;
    }

    /// <summary>For example: 12/72 jobs, 850 tokens/s, acceptance 71.2 %, mean length 4.1.</summary>
    public static string Describe(ProgressSample sample, int total)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{sample.Ended}/{total} jobs, {sample.TokensPerSecond:F0} tokens/s");
        text += sample.AcceptanceRate is { } rate ? string.Create(CultureInfo.InvariantCulture, $", acceptance {rate * 100:F1} %") : "";
        text += sample.SpeculationLength is { } length
            ? string.Create(CultureInfo.InvariantCulture, $", mean speculation length {length:F1}")
            : "";
        return text + (sample.Failed > 0 ? string.Create(CultureInfo.InvariantCulture, $", {sample.Failed} failed") : "");
    }

    private async Task PollAsync(Task work, TimeSpan interval, Action show)
    {
        while (!work.IsCompleted)
        {
            show();
            await Task.WhenAny(work, Task.Delay(interval, time));
        }

        show();
    }
}
