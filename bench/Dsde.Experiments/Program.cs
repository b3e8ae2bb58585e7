using System.CommandLine;
using Dsde.Experiments;

var target = new Option<DirectoryInfo>("--target") { Description = "Folder of the target model.", Required = true };
var draft = new Option<DirectoryInfo>("--draft")
{
    Description = "Folder of its draft.",
    DefaultValueFactory = _ => new DirectoryInfo("models/dsde-demo-draft"),
};
var mismatched = new Option<DirectoryInfo>("--mismatched-draft") { Description = "Folder of a draft that does not fit.", Required = true };
var jobs = new Option<FileInfo>("--jobs")
{
    Description = "Job file whose prompts are run; their temperatures are replaced.",
    DefaultValueFactory = _ => new FileInfo("samples/mixed.jsonl"),
};
var program = new Option<FileInfo>("--program") { Description = "The program dsde.", DefaultValueFactory = _ => new FileInfo("dsde") };
var folder = new Option<DirectoryInfo>("--out")
{
    Description = "Folder for the databases of all runs; what it has already is not run again.",
    DefaultValueFactory = _ => new DirectoryInfo("artifacts/experiments"),
};
var dataType = new Option<string>("--dtype") { Description = "Type computed in.", DefaultValueFactory = _ => "bf16" };
var rounds = new Option<int>("--rounds")
{
    Description = "How often each cell is timed: at least 3, or 0 for what does not ask the clock (questions 4 to 6).",
    DefaultValueFactory = _ => 5,
};
rounds.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() is < 0 or 1 or 2)
    {
        result.AddError("--rounds is too small; give at least 3, or there are no intervals, or 0 for no times at all.");
    }
});
var page = new Option<FileInfo>("--page")
{
    Description = "The page whose tables are made anew.",
    DefaultValueFactory = _ => new FileInfo("docs/experiments.md"),
};
var command = new RootCommand("Does the paper's experiment again (arXiv 2509.01083), and writes its tables into docs/experiments.md.")
{
    target,
    draft,
    mismatched,
    jobs,
    program,
    folder,
    dataType,
    rounds,
    page,
};
command.SetAction(RunAsync);
return await command.Parse(args).InvokeAsync();

async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
{
    var settings = new ExperimentSettings
    {
        Program = arguments.GetRequiredValue(program).FullName,
        Jobs = arguments.GetRequiredValue(jobs).FullName,
        Target = arguments.GetRequiredValue(target).FullName,
        Draft = arguments.GetRequiredValue(draft).FullName,
        MismatchedDraft = arguments.GetRequiredValue(mismatched).FullName,
        DataType = arguments.GetRequiredValue(dataType),
        Folder = arguments.GetRequiredValue(folder).FullName,
        Rounds = arguments.GetRequiredValue(rounds),
    };
    try
    {
        await new CellRunner(settings, arguments.InvocationConfiguration.Output, TimeProvider.System).RunAsync(cancellationToken);
        var parts = await new Experiment(settings).TabulateAsync(cancellationToken);
        var path = arguments.GetRequiredValue(page).FullName;
        await File.WriteAllTextAsync(
            path,
            GeneratedParts.Replace(await File.ReadAllTextAsync(path, cancellationToken), parts),
            cancellationToken
        );
        await arguments.InvocationConfiguration.Output.WriteLineAsync($"tables in {path}");
        return 0;
    }
    catch (Exception exception) when (exception is InvalidOperationException or FormatException or IOException)
    {
        await arguments.InvocationConfiguration.Error.WriteLineAsync($"experiments: {exception.Message}");
        return 1;
    }
}
