using Dsde.ModelForge.Bpe;
using Dsde.ModelForge.Corpus;
using Dsde.ModelForge.Folders;
using Dsde.ModelForge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.ModelForge;

/// <summary>Makes the demo pair: tokenizer, target, then a draft distilled from it.</summary>
internal sealed class ModelMaker(MakeSettings settings, TimeProvider time, TextWriter output)
{
    private const int VocabularySize = 2048;
    private const int TokenizerDocuments = 8000;
    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromMinutes(8);

    /// <summary>Writes both folders; what is written on the way can be used already.</summary>
    public (TrainingSummary Target, TrainingSummary Draft) Run(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(settings.Folder);
        var corpus = new CorpusStream(settings.Seed, Split.Train);
        output.WriteLine($"tokenizer: learning {VocabularySize} tokens from {TokenizerDocuments} documents");
        var vocabulary = BpeTrainer.Train(
            Enumerable
                .Range(0, TokenizerDocuments)
                .Select(number => corpus.At(number))
                .SelectMany(document => document.Turns.Append(document.Completion)),
            VocabularySize
        );
        var format = new TextFormat(new BpeEncoder(vocabulary));
        var heldOut = new HeldOutLoss(format, settings.Seed);

        using var targetGenerator = new Generator((ulong)settings.Seed, CPU);
        using var draftGenerator = new Generator((ulong)settings.Seed + 1, CPU);
        using var target = new TrainableDecoder(ModelShape.Target(vocabulary.Size), settings.ComputeType, targetGenerator);
        using var draft = new TrainableDecoder(ModelShape.Draft(vocabulary.Size), settings.ComputeType, draftGenerator);
        if (draft.Shape.ParameterCount * 10 > target.Shape.ParameterCount)
        {
            throw new InvalidOperationException(
                $"The draft has {draft.Shape.ParameterCount} parameters, more than a tenth of the target's {target.Shape.ParameterCount}."
            );
        }

        output.WriteLine($"target: {target.Shape.ParameterCount} parameters, draft: {draft.Shape.ParameterCount}");
        var targetSummary = Train(
            target,
            null,
            format,
            heldOut,
            new TrainingPlan(settings.TargetTime, 2e-3),
            vocabulary,
            cancellationToken
        );
        var draftSummary = Train(draft, target, format, heldOut, new TrainingPlan(settings.DraftTime, 4e-3), vocabulary, cancellationToken);
        return (targetSummary, draftSummary);
    }

    private TrainingSummary Train(
        TrainableDecoder model,
        TrainableDecoder? teacher,
        TextFormat format,
        HeldOutLoss heldOut,
        TrainingPlan plan,
        BpeVocabulary vocabulary,
        CancellationToken cancellationToken
    )
    {
        var text = new TokenStream(format, new CorpusStream(settings.Seed, Split.Train));
        var trainer = new Trainer(model, teacher, text, heldOut, time, output);
        var summary = trainer.Run(plan, () => Write(), CheckpointEvery, cancellationToken);
        new TrainingRecord(
            settings.Command,
            settings.Seed,
            model.Shape.ParameterCount,
            summary.Steps,
            summary.Tokens,
            summary.Duration.TotalMinutes,
            summary.HeldOutLoss
        ).Write(Write());
        output.WriteLine(
            $"{model.Shape.Name}: {summary.Steps} steps, {summary.Tokens / 1e6:F1} M tokens, held-out loss "
                + string.Join(", ", summary.HeldOutLoss.Select(pair => $"{pair.Key} {pair.Value:F3}"))
        );
        return summary;

        string Write()
        {
            var folder = Path.Combine(settings.Folder, model.Shape.Name);
            HuggingFaceFolder.Write(folder, model, vocabulary);
            return folder;
        }
    }
}
