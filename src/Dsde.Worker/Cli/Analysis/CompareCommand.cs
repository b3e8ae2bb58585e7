using System.CommandLine;
using Dsde.Analytics.Comparing;
using Dsde.Pipeline;

namespace Dsde.Worker.Cli.Analysis;

/// <summary><c>dsde compare</c>: two runs side by side.</summary>
internal sealed class CompareCommand : DsdeCommand
{
    private const string Json = "json";

    private readonly Argument<ComparedSelection> _first = CreateSide(
        "FIRST",
        "What the second is measured by: " + ComparedSelection.Forms + "."
    );
    private readonly Argument<ComparedSelection> _second = CreateSide("SECOND", "The other, in the same form.");
    private readonly DatabaseArguments _database = new();
    private readonly Option<string> _format = new("--format")
    {
        Description = "table or json.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "table",
    };

    public CompareCommand()
        : base(
            "compare",
            "Compare two runs, batches or policies, also of two databases: by prompt where both have it, with 95 % intervals, and in words "
                + "whether a difference is real.",
            "dsde compare results-before/ results-after/",
            "dsde compare static:4 dsde --database results/dsde.db",
            "dsde compare batch=0b7f…c2,workload=code batch=51d0…9e,workload=code",
            "dsde compare policy=dsde 'policy=dsde,connection=Host=other;Database=dsde;Username=me;Password=…'"
        )
    {
        _format.AcceptOnlyFromAmong("table", Json);
        Add(_first);
        Add(_second);
        _database.AddTo(this, withFile: true);
        Add(_format);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var first = await ReadAsync(arguments.GetRequiredValue(_first), arguments, cancellationToken);
        var second = await ReadAsync(arguments.GetRequiredValue(_second), arguments, cancellationToken);
        var comparison = Comparison.Create(first, second);
        if (arguments.GetValue(_format) == Json)
        {
            await arguments.InvocationConfiguration.Output.WriteLineAsync(AnalysisJson.Write(comparison));
        }
        else
        {
            ComparePrinter.Print(comparison, Consoles.Create(arguments.InvocationConfiguration), arguments.InvocationConfiguration.Output);
        }

        return ExitCodes.Success;
    }

    private async Task<ComparedSide> ReadAsync(ComparedSelection side, ParseResult arguments, CancellationToken cancellationToken)
    {
        var options = side.Database is { } own ? ConnectionStrings.Require(own) : _database.Read(arguments);
        await using var database = await AnalysisDatabase.OpenAsync(options, cancellationToken);
        return await ComparedSide.ReadAsync(side.Text, database.Traces, side.Filter, cancellationToken);
    }

    private static Argument<ComparedSelection> CreateSide(string name, string description) =>
        new(name)
        {
            Description = description,
            CustomParser = result =>
            {
                try
                {
                    return ComparedSelection.Parse(result.Tokens[0].Value);
                }
                catch (Exception exception) when (exception is FormatException or ExpectedFailureException)
                {
                    result.AddError(exception.Message);
                    return null!;
                }
            },
        };
}
