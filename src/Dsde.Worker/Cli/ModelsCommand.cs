using System.CommandLine;
using System.Text.Json;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde models</c>: which models are served by how many workers, and what waits for each.</summary>
internal sealed class ModelsCommand : DsdeCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly Option<bool> _json = new("--json") { Description = "Write a line of JSON per model." };

    public ModelsCommand()
        : base(
            "models",
            "Say which models are served by how many workers, and how many jobs wait for each: workers as the database knows them, "
                + "consumers and jobs as the broker does.",
            "dsde models",
            "dsde models --json"
        )
    {
        Add(_json);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var overview = await Overview.ReadAsync(new ProgramSettings(), cancellationToken);
        if (arguments.GetValue(_json))
        {
            foreach (var model in overview.Models)
            {
                await arguments.InvocationConfiguration.Output.WriteLineAsync(JsonSerializer.Serialize(model, Json));
            }

            foreach (var problem in overview.Problems)
            {
                await arguments.InvocationConfiguration.Error.WriteLineAsync($"dsde: {problem}");
            }
        }
        else
        {
            OverviewPrinter.PrintModels(arguments.InvocationConfiguration, overview);
        }

        return overview.Problems.Count == 0 ? ExitCodes.Success : ExitCodes.SetupError;
    }
}
