using System.CommandLine;
using Dsde.ModelForge;
using Dsde.ModelForge.Commands;
using Dsde.ModelForge.Corpus;
using Dsde.ModelForge.Evaluation;
using TorchSharp;

var folder = new Option<string>("--out")
{
    Description = "Folder that gets dsde-demo-target and dsde-demo-draft.",
    DefaultValueFactory = _ => "models",
};
var targetMinutes = new Option<double>("--minutes-target")
{
    Description = "Training time of the target, in minutes.",
    DefaultValueFactory = _ => 70,
};
var draftMinutes = new Option<double>("--minutes-draft")
{
    Description = "Training time of the draft, in minutes.",
    DefaultValueFactory = _ => 15,
};
var seed = new Option<int>("--seed") { Description = "Seed of the corpus and the first weights.", DefaultValueFactory = _ => 1 };
var threads = new Option<int>("--threads") { Description = "CPU threads; 0 for one per core.", DefaultValueFactory = _ => 0 };
var dataType = new Option<string>("--dtype")
{
    Description = "Type of the products while training: bf16 or fp32.",
    DefaultValueFactory = _ => "bf16",
};
var make = new Command("make", "Train the tokenizer, the target and the draft, and write both as Hugging Face folders.")
{
    folder,
    targetMinutes,
    draftMinutes,
    seed,
    threads,
    dataType,
};
var samples = new Option<string>("--samples")
{
    Description = "Job file of held-out prompts to write.",
    DefaultValueFactory = _ => "samples/mixed.jsonl",
};
make.Add(samples);
make.SetAction(
    async (result, cancellationToken) =>
    {
        if (result.GetValue(threads) > 0)
        {
            torch.set_num_threads(result.GetValue(threads));
        }

        var settings = new MakeSettings(
            result.GetRequiredValue(folder),
            TimeSpan.FromMinutes(result.GetValue(targetMinutes)),
            TimeSpan.FromMinutes(result.GetValue(draftMinutes)),
            result.GetValue(seed),
            result.GetValue(dataType) == "fp32" ? torch.ScalarType.Float32 : torch.ScalarType.BFloat16
        );
        SampleFile.Write(result.GetRequiredValue(samples), settings.Seed);
        new ModelMaker(settings, TimeProvider.System, Console.Out).Run(cancellationToken);
        await ModelCard.WriteAsync(settings.Folder, cancellationToken);
    }
);

var evaluate = new Command("evaluate", "Measure a pair again and rewrite its model card and the sample file.") { folder, samples, seed };
evaluate.SetAction(
    async (result, cancellationToken) =>
    {
        SampleFile.Write(result.GetRequiredValue(samples), result.GetValue(seed));
        await ModelCard.WriteAsync(result.GetRequiredValue(folder), cancellationToken);
    }
);

var count = new Option<int>("--count") { Description = "Documents to show.", DefaultValueFactory = _ => 5 };
var workload = new Option<string?>("--workload")
{
    Description = $"One of {string.Join(", ", CorpusStream.Workloads)}; all in turn if not given.",
};
var show = new Command("corpus", "Show documents of the training corpus.") { workload, count, seed };
show.SetAction(result =>
{
    var corpus = new CorpusStream(result.GetValue(seed), Split.Train);
    for (var number = 0; number < result.GetValue(count); number++)
    {
        var document = result.GetValue(workload) is { } name ? corpus.At(number, name) : corpus.At(number);
        Console.WriteLine(
            $"--- {document.Workload}, {(document.IsChat ? "chat" : "plain")}\n{string.Join("\n> ", document.Turns)}\n=>\n"
                + $"{document.Completion}"
        );
    }
});

return await new RootCommand("Makes the demo model pair of DSDE.") { make, evaluate, show, new PadCommand(), new RandomCommand() }
    .Parse(args)
    .InvokeAsync();
