using System.CommandLine;
using System.Globalization;
using Dsde.Benchmarks;
using Dsde.Engine;
using Dsde.Engine.Models;
using Dsde.PeerBench;
using LLama.Native;

var target = new Option<DirectoryInfo>("--target")
{
    Description = "Hugging Face folder of the target, of the Llama family.",
    Required = true,
};
var draft = new Option<DirectoryInfo?>("--draft") { Description = "The draft; none to compare plain decoding only." };
var prompts = new Option<FileInfo>("--file")
{
    Description = "Job file with prompts.",
    DefaultValueFactory = _ => new FileInfo("samples/mixed.jsonl"),
};
var counts = new Option<int[]>("--sequences")
{
    Description = "Sequences at once, each number measured by itself.",
    DefaultValueFactory = _ => [1, 8, 32],
    AllowMultipleArgumentsPerToken = true,
};
var tokens = new Option<int>("--tokens") { Description = "Tokens per sequence.", DefaultValueFactory = _ => 64 };
var rounds = new Option<int>("--rounds") { Description = "Rounds; in each every way runs once.", DefaultValueFactory = _ => 7 };
var threads = new Option<int>("--threads") { Description = "Threads.", DefaultValueFactory = _ => Environment.ProcessorCount };
var dataType = new Option<string>("--dtype")
{
    Description = "Type of the weights, for both: bf16 or fp32.",
    DefaultValueFactory = _ => "bf16",
};
dataType.AcceptOnlyFromAmong("bf16", "fp32");
var files = new Option<DirectoryInfo>("--gguf")
{
    Description = "Folder for the GGUF files; they stay, for trials by hand.",
    DefaultValueFactory = _ => new DirectoryInfo("artifacts/peer-bench"),
};
var command = new RootCommand("Decodes the same prompts greedily with llama.cpp (through LLamaSharp) and with this engine, in turn.")
{
    target,
    draft,
    prompts,
    counts,
    tokens,
    rounds,
    threads,
    dataType,
    files,
};
command.SetAction(RunAsync);
return await command.Parse(args).InvokeAsync();

async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
{
    NativeLibraryConfig.All.WithLogCallback((_, _) => { });
    var folder = arguments.GetRequiredValue(files);
    folder.Create();
    var type = arguments.GetRequiredValue(dataType);
    var model = Convert(arguments.GetRequiredValue(target));
    if (arguments.GetValue(draft) is { } draftFolder)
    {
        Convert(draftFolder); // not run here: LLamaSharp has no speculation
    }

    Console.WriteLine(
        $"{MachineLoad.ReadCpuName()}, {arguments.GetValue(threads)} threads, {type}, {arguments.GetValue(tokens)} tokens each"
    );
    Console.WriteLine($"llama.cpp of LLamaSharp: {PeerDecoder.Describe()}");
    Console.WriteLine();
    Console.WriteLine("| sequences | way | tokens/s | of llama.cpp (95 %) | same tokens |");
    Console.WriteLine("|---:|---|---:|---:|---:|");
    var watch = MachineLoad.TryStart(TimeProvider.System);
    foreach (var count in arguments.GetRequiredValue(counts))
    {
        await CompareAsync(arguments, model, count, cancellationToken);
    }

    Console.WriteLine();
    Console.WriteLine(watch?.Read());
    return 0;

    string Convert(DirectoryInfo source)
    {
        var path = Path.Combine(folder.FullName, $"{source.Name}-{type}.gguf");
        GgufModel.Write(ModelFolder.Open(source.FullName), type == "bf16" ? GgufType.BF16 : GgufType.F32, path);
        return path;
    }
}

async Task CompareAsync(ParseResult arguments, string model, int count, CancellationToken cancellationToken)
{
    var texts = Prompts.Read(arguments.GetRequiredValue(prompts).FullName, count);
    var wanted = arguments.GetValue(tokens);
    await using var engine = new EngineDecoder(
        new EngineOptions
        {
            Target = arguments.GetRequiredValue(target).FullName,
            Draft = arguments.GetValue(draft)?.FullName,
            DataType = arguments.GetRequiredValue(dataType),
            Device = "cpu",
            Threads = arguments.GetValue(threads),
            BatchSize = count,
        }
    );
    var ids = texts.Select(engine.Encode).ToList();
    using var peer = new PeerDecoder(model, arguments.GetValue(threads), count, ids.Max(prompt => prompt.Count) + wanted);
    List<Comparison.Way> ways = [new("llama.cpp", () => Task.FromResult(peer.Decode(ids, wanted))), Engine("autoregressive")];
    if (arguments.GetValue(draft) is not null)
    {
        ways.Add(Engine("dsde"));
    }

    foreach (var result in await new Comparison(ways).RunAsync(arguments.GetValue(rounds)))
    {
        var interval = result.Interval is { } found
            ? string.Create(CultureInfo.InvariantCulture, $" ({found.Low:F2} to {found.High:F2})")
            : "";
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {count} | {result.Name} | {result.TokensPerSecond:N0} | {result.Ratio:F2} x{interval} | {result.SameShare:P0} |"
            )
        );
    }

    Comparison.Way Engine(string policy) => new($"DSDE, {policy}", () => engine.DecodeAsync(ids, wanted, policy, cancellationToken));
}
