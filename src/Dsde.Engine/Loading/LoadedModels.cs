using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Scheduling;
using Dsde.Engine.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>The models of an engine with their caches, and the tokenizer they share.</summary>
internal sealed class LoadedModels : IDisposable
{
    private LoadedModels(ModelFolder folder, Tokenizer tokenizer, CachedDecoder target, CachedDecoder? draft, int batchSize)
    {
        Folder = folder;
        Tokenizer = tokenizer;
        Target = target;
        Draft = draft;
        BatchSize = batchSize;
    }

    /// <summary>The target's folder.</summary>
    public ModelFolder Folder { get; }

    /// <summary>The target's tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The target.</summary>
    public CachedDecoder Target { get; }

    /// <summary>The draft; null without one.</summary>
    public CachedDecoder? Draft { get; }

    /// <summary>Most sequences that run at once: as many as are wanted and the caches' memory allows.</summary>
    public int BatchSize { get; }

    /// <summary>Most tokens of prompt and output together.</summary>
    public int MaxLength => Target.Cache.MaxLength;

    /// <summary>Loads target and draft; what they hold is checked before any weight is read.</summary>
    /// <exception cref="ModelLoadException">A folder is missing, broken or not supported, or the two models do not fit together.</exception>
    public static LoadedModels Load(EngineOptions options, ScalarType type, Device device)
    {
        var targetFolder = ModelFolder.Open(options.Target);
        var draftFolder = string.IsNullOrEmpty(options.Draft) ? null : ModelFolder.Open(options.Draft);
        var tokenizer = Tokenizer.Load(targetFolder);
        if (draftFolder is not null)
        {
            VocabularyComparer.RequireSame(targetFolder, tokenizer, draftFolder, Tokenizer.Load(draftFolder));
        }

        var maxLength = ChooseMaxLength(options.MaxLength, targetFolder, draftFolder);
        var vocabularySize = VocabularyComparer.CountTokens(targetFolder, tokenizer);
        var isDeterministic = options.Numerics == "deterministic";
        var plan = KvPlan.Create(options, maxLength, targetFolder.Config, draftFolder?.Config, type);
        CachedDecoder? target = null;
        try
        {
            target = new CachedDecoder(targetFolder, plan.SlotCount, maxLength, type, device, isDeterministic, vocabularySize);
            var draft = draftFolder is null ? null : new CachedDecoder(draftFolder, plan.SlotCount, maxLength, type, device, isDeterministic, vocabularySize);
            return new LoadedModels(targetFolder, tokenizer, target, draft, plan.BatchSize);
        }
        catch (Exception exception)
        {
            target?.Dispose();
            if (AllocationFailure.Is(exception))
            {
                throw new ModelLoadException(
                    $"The memory does not hold the models and {plan.SlotCount} cache slots of {maxLength} tokens. Lower {EngineOptions.SectionName}:{nameof(EngineOptions.MaxLength)} or "
                    + $"{nameof(EngineOptions.BatchSize)}, or limit the slots' memory ({nameof(EngineOptions.KvCacheMegabytes)}).",
                    exception);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Target.Dispose();
        Draft?.Dispose();
    }

    private static int ChooseMaxLength(int wanted, ModelFolder target, ModelFolder? draft)
    {
        var shorter = draft is not null && draft.Config.ContextLength < target.Config.ContextLength ? draft : target;
        var allowed = shorter.Config.ContextLength;
        if (wanted > allowed)
        {
            throw new ModelLoadException(
                $"{EngineOptions.SectionName}:{nameof(EngineOptions.MaxLength)} is {wanted}, but {shorter.Path} allows {allowed} tokens. Give at most that, or 0 for what the models allow.");
        }

        return wanted == 0 ? allowed : wanted;
    }
}
