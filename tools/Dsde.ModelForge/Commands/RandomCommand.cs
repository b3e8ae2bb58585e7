using System.CommandLine;
using Dsde.ModelForge.Padding;

namespace Dsde.ModelForge.Commands;

/// <summary><c>modelforge random SOURCE OUT</c></summary>
internal sealed class RandomCommand : Command
{
    private readonly Argument<string> _source = new("SOURCE") { Description = "Hugging Face folder whose shape and tokenizer are taken." };
    private readonly Argument<string> _destination = new("OUT") { Description = "Folder to write; a model that is there is replaced." };
    private readonly Option<int> _seed = new("--seed") { Description = "Seed of the weights.", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _type = PadCommand.TypeOption();

    public RandomCommand()
        : base(
            "random",
            "Write a model of the same shape and tokenizer with random weights: a draft that is of no use, to see what policies make of it."
        )
    {
        Add(_source);
        Add(_destination);
        Add(_seed);
        Add(_type);
        SetAction(
            (result, cancellationToken) =>
                Task.FromResult(
                    Failures.Report(
                        result,
                        () =>
                            ModelPadder.Randomize(
                                result.GetRequiredValue(_source),
                                result.GetRequiredValue(_destination),
                                result.GetValue(_seed),
                                PadCommand.ReadType(result, _type),
                                cancellationToken
                            )
                    )
                )
        );
    }
}
