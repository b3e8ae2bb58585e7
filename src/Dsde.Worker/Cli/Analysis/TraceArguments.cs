using System.CommandLine;
using System.Globalization;
using Dsde.Persistence.Analysis;
using Dsde.Speculation;

namespace Dsde.Worker.Cli.Analysis;

/// <summary>Which stored traces are meant.</summary>
internal sealed class TraceArguments
{
    private readonly Option<Guid?> _batch = new("--batch") { Description = "Of the jobs of this batch.", HelpName = "ID" };
    private readonly Option<string?> _policy = new("--policy")
    {
        Description = "Of the outputs that ran under this policy, with its parameters.",
        HelpName = "NAME",
    };
    private readonly Option<string?> _workload = new("--workload") { Description = "Of the jobs with this label.", HelpName = "LABEL" };
    private readonly Option<string?> _target = new("--target-model")
    {
        Description = "Of the outputs of this target model.",
        HelpName = "NAME",
    };
    private readonly Option<DateTimeOffset?> _from = CreateTime("--from", "Stored at or after this time (UTC if it has no offset).");
    private readonly Option<DateTimeOffset?> _to = CreateTime("--to", "Stored before this time (UTC if it has no offset).");

    public void AddTo(Command command)
    {
        _policy.Validators.Add(result =>
        {
            try
            {
                _ = result.Tokens is [{ Value: var given }] ? PolicyConfiguration.Parse(given) : null;
            }
            catch (FormatException exception)
            {
                result.AddError(exception.Message);
            }
        });
        foreach (var option in (Option[])[_batch, _policy, _workload, _target, _from, _to])
        {
            command.Add(option);
        }
    }

    public TraceFilter Read(ParseResult arguments) =>
        new()
        {
            BatchId = arguments.GetValue(_batch),
            Policy = arguments.GetValue(_policy) is { } policy ? PolicyConfiguration.Parse(policy).ToString() : null,
            Workload = arguments.GetValue(_workload),
            TargetModel = arguments.GetValue(_target),
            From = arguments.GetValue(_from),
            To = arguments.GetValue(_to),
        };

    /// <summary>What a filter lets through, in words.</summary>
    public static IEnumerable<string> Describe(TraceFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        (string Name, object? Value)[] chosen =
        [
            ("batch", filter.BatchId),
            ("policy", filter.Policy),
            ("workload", filter.Workload),
            ("model", filter.TargetModel),
            ("from", filter.From?.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
            ("to", filter.To?.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        ];
        return chosen.Where(one => one.Value is not null).Select(one => $"{one.Name} {one.Value}");
    }

    /// <summary>Reads a time as people write it; false for text that is none.</summary>
    public static bool TryParseTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out time
        );

    private static Option<DateTimeOffset?> CreateTime(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "TIME",
            CustomParser = result =>
            {
                if (TryParseTime(result.Tokens[0].Value, out var time))
                {
                    return time;
                }

                result.AddError($"{name} is '{result.Tokens[0].Value}'; give a time such as 2026-11-27T08:00.");
                return null;
            },
        };
}
