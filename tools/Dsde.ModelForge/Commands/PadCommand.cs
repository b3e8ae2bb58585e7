using System.CommandLine;
using System.Globalization;
using Dsde.ModelForge.Folders;
using Dsde.ModelForge.Padding;

namespace Dsde.ModelForge.Commands;

/// <summary><c>modelforge pad SOURCE OUT</c></summary>
internal sealed class PadCommand : Command
{
    private readonly Argument<string> _source = new("SOURCE") { Description = "Hugging Face folder of a Llama model in bf16 or fp32." };
    private readonly Argument<string> _destination = new("OUT") { Description = "Folder to write; a model that is there is replaced." };
    private readonly Option<string?> _parameters = new("--parameters")
    {
        Description = "Size to aim at, for example 150M or 8B: a usual shape of that size is taken.",
        HelpName = "N",
    };
    private readonly Option<int?> _hidden = Number("--hidden", "Width of the residual stream.");
    private readonly Option<int?> _layers = Number("--layers", "Layers.");
    private readonly Option<int?> _heads = Number("--heads", "Query heads.");
    private readonly Option<int?> _kvHeads = Number("--kv-heads", "Key and value heads.");
    private readonly Option<int?> _headDim = Number("--head-dim", "Width of a head; a multiple of the source's.");
    private readonly Option<int?> _intermediate = Number("--intermediate", "Width of the gated MLP.");
    private readonly Option<string> _type = TypeOption();

    public PadCommand()
        : base(
            "pad",
            "Write a costlier model with the same outputs: wider by zeros, deeper by layers that add nothing. What is not given stays "
                + "as in the source."
        )
    {
        Add(_source);
        Add(_destination);
        foreach (var option in (Option[])[_parameters, _hidden, _layers, _heads, _kvHeads, _headDim, _intermediate, _type])
        {
            Add(option);
        }

        SetAction((result, cancellationToken) => Task.FromResult(Failures.Report(result, () => Pad(result, cancellationToken))));
    }

    /// <summary>The option that says how weights are stored.</summary>
    public static Option<string> TypeOption()
    {
        var type = new Option<string>("--dtype")
        {
            Description = "bf16 (default) or fp32. Factors that bf16 can't hold exactly are kept in fp32 in either.",
            DefaultValueFactory = _ => "bf16",
        };
        type.AcceptOnlyFromAmong("bf16", "fp32");
        return type;
    }

    /// <summary>What the option says.</summary>
    public static StoredType ReadType(ParseResult result, Option<string> type) =>
        result.GetValue(type) == "fp32" ? StoredType.F32 : StoredType.BF16;

    private void Pad(ParseResult result, CancellationToken cancellationToken)
    {
        var destination = result.GetRequiredValue(_destination);
        var (shape, parameters) = ModelPadder.Pad(
            result.GetRequiredValue(_source),
            destination,
            source => Choose(result, source),
            ReadType(result, _type),
            cancellationToken
        );
        result.InvocationConfiguration.Output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{destination}: {parameters / 1e6:N0} M parameters, {shape.LayerCount} layers of {shape.HiddenSize}, "
                    + $"{shape.HeadCount}/{shape.KvHeadCount} heads of {shape.HeadDim}, MLP {shape.IntermediateSize}"
            )
        );
    }

    private DecoderShape Choose(ParseResult result, SourceModel source)
    {
        var shape = source.Shape;
        if (result.GetValue(_parameters) is { } text)
        {
            var count =
                ShapeChooser.ParseCount(text) ?? throw new PaddingException($"--parameters is {text}; give a number such as 150M or 8B.");
            shape = ShapeChooser.Choose(count, source.VocabularySize, source.EmbeddingCount, shape);
        }

        return new DecoderShape(
            result.GetValue(_hidden) ?? shape.HiddenSize,
            result.GetValue(_layers) ?? shape.LayerCount,
            result.GetValue(_heads) ?? shape.HeadCount,
            result.GetValue(_kvHeads) ?? shape.KvHeadCount,
            result.GetValue(_headDim) ?? shape.HeadDim,
            result.GetValue(_intermediate) ?? shape.IntermediateSize
        );
    }

    private static Option<int?> Number(string name, string description) => new(name) { Description = description, HelpName = "N" };
}
