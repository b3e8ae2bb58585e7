using System.CommandLine;
using System.Globalization;
using Dsde.Engine.Models;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde model inspect DIR</c>: what the engine makes of a model folder, without loading its weights.</summary>
internal sealed class ModelCommand : DsdeCommand
{
    private readonly Argument<string> _folder = new("DIR") { Description = "A Hugging Face model folder." };

    public ModelCommand() : base("model", "Look at model folders.")
    {
        var inspect = new DsdeCommand(
            "inspect", "Show a model folder as the engine reads it, and whether it can.", "dsde model inspect models/dsde-demo-target") { _folder };
        inspect.SetAction(Inspect);
        Add(inspect);
    }

    private int Inspect(ParseResult arguments)
    {
        var model = ModelDescription.Read(arguments.GetRequiredValue(_folder));
        var output = arguments.InvocationConfiguration.Output;
        foreach (var (name, value) in Describe(model))
        {
            output.WriteLine($"{name,-16} {value}");
        }

        return ExitCodes.Success;
    }

    private static IEnumerable<(string Name, string Value)> Describe(ModelDescription model) =>
    [
        ("name", model.Name),
        ("parameters", model.ParameterCount.ToString("N0", CultureInfo.InvariantCulture)),
        ("stored as", model.StoredType ?? "not said"),
        ("layers", Text(model.LayerCount)),
        ("hidden size", Text(model.HiddenSize)),
        ("heads", $"{model.HeadCount} query, {model.KvHeadCount} key/value, {model.HeadDim} wide"),
        ("MLP size", Text(model.IntermediateSize)),
        ("vocabulary", $"{model.VocabularySize} {(model.HasTiedEmbeddings ? "(embedding and output tied)" : "(separate output)")}"),
        ("context", $"{model.ContextLength} tokens"),
        ("ends at", model.EosTokenIds.Count == 0 ? "no token: outputs end at their token limit only" : string.Join(", ", model.EosTokenIds)),
    ];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
