using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.ModelForge.Bpe;
using Dsde.ModelForge.Corpus;
using Dsde.ModelForge.Folders;
using Dsde.ModelForge.Training;
using Dsde.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TorchSharp;

namespace Dsde.ModelForge.Tests;

/// <summary>A pair made on a small scale, and read by the engine.</summary>
public sealed class MakingTests : IDisposable
{
    private readonly ScratchFolder _folder = new("forge");
    private readonly BpeVocabulary _vocabulary = BpeTrainer.Train(
        Enumerable.Range(0, 400).Select(number => new CorpusStream(1, Split.Train).At(number).Completion),
        600
    );

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_vocabulary_has_the_size_asked_for_and_never_merges_digits()
    {
        _vocabulary.Size.ShouldBe(600);
        Enumerable
            .Range(BpeVocabulary.FirstMerge, 600 - BpeVocabulary.FirstMerge)
            .ShouldAllBe(id => _vocabulary.BytesOf(id).ToArray().All(value => value < '0' || value > '9'));
    }

    [Fact]
    public async Task The_engine_reads_the_folder_and_encodes_as_the_trainer_did()
    {
        using var model = CreateModel();
        HuggingFaceFolder.Write(_folder.Path, model, _vocabulary);
        await using var engine = Load();
        var encoder = new BpeEncoder(_vocabulary);
        var format = new TextFormat(encoder);

        foreach (var document in Enumerable.Range(0, 100).Select(number => new CorpusStream(5, Split.Train).At(number)))
        {
            var ids = document.IsChat
                ? engine.PromptEncoder.EncodeChat([
                    .. document.Turns.Select((turn, i) => new ChatTurn(i % 2 == 0 ? "user" : "assistant", turn)),
                ])
                : engine.PromptEncoder.Encode(document.Turns[0]);
            ids.ShouldBe(format.EncodePrompt(document));
            engine.PromptEncoder.Decode([.. encoder.Encode(document.Completion)]).ShouldBe(document.Completion);
        }

        engine.PromptEncoder.Encode("naïve 🙂  42\n").ShouldBe(encoder.Encode("naïve 🙂  42\n"));
    }

    [Fact]
    public async Task The_engine_continues_as_the_trained_model_predicts()
    {
        using var model = CreateModel();
        Train(model);
        HuggingFaceFolder.Write(_folder.Path, model, _vocabulary);
        await using var engine = Load();
        var prompt = engine.PromptEncoder.Encode("Question: Tom has 3 apples");

        var result = await engine.GenerateAsync(
            new GenerationRequest
            {
                PromptTokenIds = prompt,
                MaxTokens = 1,
                Sampling = new SamplingParameters { Temperature = 0 },
            },
            TestContext.Current.CancellationToken
        );

        using var scope = torch.NewDisposeScope();
        using var mode = torch.no_grad();
        var logits = model.Forward(torch.tensor(prompt.Select(id => (long)id).ToArray(), [1, prompt.Count]));
        var logProbabilities = logits[-1].log_softmax(-1);
        // Weights are rounded to bf16 on their way to the engine.
        logProbabilities[result.TokenIds[0]].item<float>().ShouldBe(result.TokenLogProbabilities[0], 0.05f);
        logProbabilities.max().item<float>().ShouldBe(result.TokenLogProbabilities[0], 0.05f);
    }

    [Fact]
    public void Training_lowers_the_held_out_loss()
    {
        using var model = CreateModel();
        var heldOut = new HeldOutLoss(new TextFormat(new BpeEncoder(_vocabulary)), 1);
        var before = heldOut.Measure(model).Values.Average();

        var summary = Train(model);

        before.ShouldBe(Math.Log(600), 0.3);
        summary.HeldOutLoss.Values.Average().ShouldBeLessThan(before - 0.5);
    }

    /// <summary>Some forty steps on every machine: the clock moves each time it is read.</summary>
    private TrainingSummary Train(TrainableDecoder model)
    {
        var format = new TextFormat(new BpeEncoder(_vocabulary));
        var trainer = new Trainer(
            model,
            null,
            new TokenStream(format, new CorpusStream(1, Split.Train)),
            new HeldOutLoss(format, 1),
            new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromSeconds(1) },
            TextWriter.Null
        );
        return trainer.Run(
            new TrainingPlan(TimeSpan.FromMinutes(2), 5e-3),
            () => { },
            TimeSpan.FromHours(1),
            TestContext.Current.CancellationToken
        );
    }

    private TrainableDecoder CreateModel()
    {
        using var generator = new torch.Generator(7, torch.CPU);
        return new TrainableDecoder(new ModelShape("small", _vocabulary.Size, 64, 2, 2, 1, 128), torch.ScalarType.Float32, generator);
    }

    private GenerationEngine Load() =>
        GenerationEngine.Load(
            new EngineOptions
            {
                Target = _folder.Path,
                Draft = null,
                Policy = "autoregressive",
                Device = "cpu",
                DataType = "fp32",
            },
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
}
