using System.CommandLine;
using System.Globalization;
using Dsde.Persistence;
using Dsde.Persistence.Upkeep;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde db prune</c>.</summary>
internal sealed class DbPruneCommand : DsdeCommand
{
    private static readonly (PruneKind Kind, string Option, string Description, string Noun)[] Kinds =
    [
        (PruneKind.Traces, "--traces", "Traces; on PostgreSQL whole months, once they are over.", "traces"),
        (PruneKind.Texts, "--texts", "Prompts and outputs of ended jobs; their hashes and counts stay.", "jobs with texts"),
        (PruneKind.Jobs, "--jobs", "Ended jobs with all but their traces, unless their batch is not complete; and their batches.", "jobs"),
    ];

    private readonly Option<TimeSpan> _olderThan = new("--older-than")
    {
        Description = "What ended longer ago than this: days, weeks or hours, such as 90d, 12w, 36h.",
        HelpName = "AGE",
        Required = true,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (ReadAge(text) is { } age)
            {
                return age;
            }

            result.AddError($"--older-than is '{text}'; give a whole number of days, weeks or hours above 0, such as 90d, 12w or 36h.");
            return default;
        },
    };

    private readonly Option<bool> _apply = new("--apply") { Description = "Remove it. Without this nothing is removed, only counted." };
    private readonly List<(PruneKind Kind, string Noun, Option<bool> Option)> _kinds =
    [
        .. Kinds.Select(kind => (kind.Kind, kind.Noun, new Option<bool>(kind.Option) { Description = kind.Description })),
    ];

    private readonly DatabaseArguments _database = new();

    public DbPruneCommand()
        : base(
            "prune",
            "Remove what is old from the database, or say what that would be.",
            "dsde db prune --older-than 90d",
            "dsde db prune --older-than 90d --traces --texts --apply"
        )
    {
        Add(_olderThan);
        _kinds.ForEach(kind => Add(kind.Option));
        Add(_apply);
        _database.AddTo(this);
        Validators.Add(result =>
        {
            if (result.GetValue(_apply) && !_kinds.Any(kind => result.GetValue(kind.Option)))
            {
                result.AddError($"--apply removes nothing by itself; name what: {string.Join(", ", Kinds.Select(kind => kind.Option))}.");
            }
        });
        SetAction(PruneAsync);
    }

    private async Task<int> PruneAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var (output, isDryRun) = (arguments.InvocationConfiguration.Output, !arguments.GetValue(_apply));
        await using var services = DbCommand.CreateServices(_database.Read(arguments));
        var upkeep = services.GetRequiredService<IDatabaseUpkeep>();
        var before = services.GetRequiredService<TimeProvider>().GetUtcNow() - arguments.GetValue(_olderThan);
        var named = _kinds.Where(kind => arguments.GetValue(kind.Option)).ToList();
        foreach (var (kind, noun, _) in named.Count > 0 ? named : _kinds)
        {
            var pruned = await upkeep.PruneAsync(kind, before, isDryRun, cancellationToken);
            var details = pruned.Details.Count == 0 ? "" : $" ({string.Join(", ", pruned.Details)})";
            await output.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"{(isDryRun ? "would remove" : "removed")} {pruned.Count} {noun}{details}")
            );
        }

        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"older than {before:yyyy-MM-dd HH:mm} UTC")
                + (isDryRun ? "; nothing was removed, --apply does it" : "")
        );
        return ExitCodes.Success;
    }

    private static TimeSpan? ReadAge(string text)
    {
        const int mostHours = 24 * 36_500;
        var hours =
            text.Length == 0
                ? 0
                : text[^1] switch
                {
                    'h' => 1,
                    'd' => 24,
                    'w' => 24 * 7,
                    _ => 0,
                };
        return
            hours > 0
            && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0
            && (long)number * hours <= mostHours
            ? TimeSpan.FromHours(number * hours)
            : null;
    }
}
