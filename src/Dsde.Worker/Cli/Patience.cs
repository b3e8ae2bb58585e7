using System.CommandLine;
using System.Globalization;
using Dsde.Persistence;
using Dsde.Pipeline;

namespace Dsde.Worker.Cli;

/// <summary>
/// Waits for a database that has answered and then goes away, up to a limit, and says so when it goes and when it is back. One that does
/// not answer from the beginning is more likely a mistake in the settings, and is not waited for.
/// </summary>
/// <param name="limit">How long one absence may take.</param>
/// <param name="time">The clock.</param>
/// <param name="error">Where it says so.</param>
internal sealed class Patience(TimeSpan limit, TimeProvider time, TextWriter error)
{
    private const int DefaultSeconds = 300;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private long? _awaySince;

    /// <summary>The option that sets the limit, in seconds.</summary>
    public static Option<int> CreateOption()
    {
        var option = new Option<int>("--patience")
        {
            Description = $"How long to wait for a database that goes away meanwhile, in seconds (default {DefaultSeconds}).",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => DefaultSeconds,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var given }] && int.TryParse(given, out var number) && number < 0)
            {
                result.AddError($"--patience is {number}; give 0 or more seconds.");
            }
        });
        return option;
    }

    /// <summary>Does the work, again and again until the database answers.</summary>
    /// <exception cref="ExpectedFailureException">It has been away for longer than the limit.</exception>
    public async Task<T> InsistAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var result = await work();
                await NoteBackAsync();
                return result;
            }
            catch (DatabaseUnavailableException exception)
            {
                await NoteAwayAsync(exception);
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    /// <summary>The same for work without a result.</summary>
    public Task InsistAsync(Func<Task> work, CancellationToken cancellationToken) =>
        InsistAsync(
            async () =>
            {
                await work();
                return true;
            },
            cancellationToken
        );

    private async Task NoteAwayAsync(DatabaseUnavailableException exception)
    {
        if (_awaySince is { } since)
        {
            if (time.GetElapsedTime(since) > limit)
            {
                throw new ExpectedFailureException(
                    $"{exception.Message} It has been away for longer than --patience allows ({Describe(limit)}).",
                    exception
                );
            }

            return;
        }

        _awaySince = time.GetTimestamp();
        await error.WriteLineAsync($"dsde: {exception.Message} Waiting for it, at most {Describe(limit)} (--patience).");
    }

    private async Task NoteBackAsync()
    {
        if (_awaySince is { } since)
        {
            _awaySince = null;
            await error.WriteLineAsync($"dsde: the database is back after {Describe(time.GetElapsedTime(since))}");
        }
    }

    private static string Describe(TimeSpan span) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:F0} s");
}
