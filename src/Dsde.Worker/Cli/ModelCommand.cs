using System.CommandLine;
using System.Globalization;
using Dsde.Engine.Loading;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde model inspect DIR</c>: what the engine makes of a model folder, without loading its weights.</summary>
internal sealed class ModelCommand : DsdeCommand
{
    private const int Narrow = 2; // bytes per number
    private const int Wide = 4;

    private readonly Argument<string> _folder = new("DIR") { Description = "A Hugging Face model folder." };

    public ModelCommand()
        : base("model", "Look at model folders.")
    {
        var inspect = new DsdeCommand(
            "inspect",
            "Show a model folder as the engine reads it, and whether it can. Of the weights it looks at names, shapes and types; values "
                + "that are no numbers are found when the model is loaded.",
            "dsde model inspect models/dsde-demo-target"
        )
        {
            _folder,
        };
        inspect.SetAction(Inspect);
        Add(inspect);
    }

    private int Inspect(ParseResult arguments)
    {
        var model = ModelDescription.Read(arguments.GetRequiredValue(_folder));
        var output = arguments.InvocationConfiguration.Output;
        foreach (var (name, value) in Describe(model))
        {
            output.WriteLine($"{name, -16} {value}");
        }

        return ExitCodes.Success;
    }

    private static IEnumerable<(string Name, string Value)> Describe(ModelDescription model) =>
        [
            ("name", model.Name),
            ("family", model.Features.Count == 0 ? model.Family : $"{model.Family}: {string.Join(", ", model.Features)}"),
            ("parameters", model.ParameterCount.ToString("N0", CultureInfo.InvariantCulture)),
            ("stored as", $"{string.Join(", ", model.StoredTypes)}, {Size(model.StoredBytes)}"),
            ("weights", $"{Size(model.WeightBytes(Narrow))} in bf16 or fp16, {Size(model.WeightBytes(Wide))} in fp32"),
            (
                "KV cache",
                $"{Size(model.KvBytesPerToken(Narrow))} per token in bf16 or fp16, {Size(model.KvBytesPerToken(Wide))} in fp32; "
                    + $"a full context {Size(model.KvBytesPerToken(Narrow) * model.ContextLength)} and "
                    + $"{Size(model.KvBytesPerToken(Wide) * model.ContextLength)}"
            ),
            ("layers", Text(model.LayerCount)),
            ("hidden size", Text(model.HiddenSize)),
            ("heads", $"{model.HeadCount} query, {model.KvHeadCount} key/value, {model.HeadDim} wide"),
            ("MLP size", Text(model.IntermediateSize)),
            ("vocabulary", $"{model.VocabularySize} {(model.HasTiedEmbeddings ? "(embedding and output tied)" : "(separate output)")}"),
            ("context", $"{model.ContextLength} tokens"),
            ("positions", $"rotary, {model.RotaryEmbedding}"),
            (
                "attention",
                model.SlidingWindow is { } window
                    ? $"sliding window of {window} tokens in {model.SlidingLayerCount} of {model.LayerCount} layers"
                    : "to all positions"
            ),
            ("soft-caps", $"attention {Text(model.AttentionSoftCap)}, logits {Text(model.LogitSoftCap)}"),
            ("tokenizer", model.Tokenizer ?? "none: run and worker take no model without one"),
            (
                "ends at",
                model.EosTokenIds.Count == 0 ? "no token: outputs end at their token limit only" : string.Join(", ", model.EosTokenIds)
            ),
            ("defaults", model.Defaults.ToString()),
            ("on this CPU", model.OnThisCpu),
            .. model.Warnings.Select(warning => ("note", warning)),
        ];

    private static string Text(double? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "none";

    private static string Size(long bytes) =>
        bytes switch
        {
            < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F1} KiB"),
            < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F1} MiB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:F2} GiB"),
        };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
