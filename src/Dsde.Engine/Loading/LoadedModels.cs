using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Loading;

/// <summary>The models of an engine with their caches, and the tokenizer they share.</summary>
internal sealed class LoadedModels : IDisposable
{
    private LoadedModels(
        ModelFolder folder,
        ModelFolder? draftFolder,
        Tokenizer tokenizer,
        CachedDecoder target,
        CachedDecoder? draft,
        int batchSize
    )
    {
        Folder = folder;
        Warnings = [.. folder.Warnings, .. draftFolder?.Warnings ?? []];
        Tokenizer = tokenizer;
        Target = target;
        Draft = draft;
        BatchSize = batchSize;
    }

    /// <summary>The target's folder.</summary>
    public ModelFolder Folder { get; }

    /// <summary>What is odd about the folders and was worked with all the same.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>What holds for requests that leave it open.</summary>
    public required GenerationDefaults Defaults { get; init; }

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
    /// <exception cref="ModelLoadException">A folder is missing, broken or not supported, the two models do not fit together, or memory
    /// does not hold them.</exception>
    public static LoadedModels Load(EngineOptions options, ComputeSettings compute)
    {
        var targetFolder = ModelFolder.Open(options.Target);
        var draftFolder = string.IsNullOrEmpty(options.Draft) ? null : ModelFolder.Open(options.Draft);
        var tokenizer = Tokenizer.Load(targetFolder);
        if (draftFolder is not null)
        {
            VocabularyComparer.RequireSame(targetFolder, tokenizer, draftFolder, Tokenizer.LoadWithoutChats(draftFolder));
        }

        var defaults = options.GenerationConfig == "none" ? GenerationDefaults.None : targetFolder.ReadGenerationDefaults();
        RequireType(compute, targetFolder);
        if (draftFolder is not null)
        {
            RequireType(compute, draftFolder);
        }

        var maxLength = ChooseMaxLength(options.MaxLength, targetFolder, draftFolder);
        var vocabularySize = VocabularyComparer.CountTokens(targetFolder, tokenizer);
        var isDeterministic = options.Numerics == "deterministic";
        var plan = KvPlan.Create(options, maxLength, targetFolder.Config, draftFolder?.Config, compute.Type);
        var needs = MemoryNeeds.Of(
            draftFolder is null ? [targetFolder] : [targetFolder, draftFolder],
            plan.SlotCount,
            maxLength,
            compute.Type
        );
        if (compute.Devices.All(device => device.type == DeviceType.CPU))
        {
            needs.Require(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        }

        var target = needs.Load(() =>
            new CachedDecoder(targetFolder, plan.SlotCount, maxLength, compute.Type, compute.Devices, isDeterministic, vocabularySize)
        );
        try
        {
            var draft = draftFolder is null
                ? null
                : needs.Load(() =>
                    new CachedDecoder(draftFolder, plan.SlotCount, maxLength, compute.Type, compute.Device, isDeterministic, vocabularySize)
                );
            return new LoadedModels(targetFolder, draftFolder, tokenizer, target, draft, plan.BatchSize) { Defaults = defaults };
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Target.Dispose();
        Draft?.Dispose();
    }

    private static void RequireType(ComputeSettings compute, ModelFolder folder)
    {
        if (compute.Type == ScalarType.Float16 && folder.Config.OverflowsFp16)
        {
            throw new ModelLoadException(
                $"{folder.Path}: activations of {folder.Config.Family} models leave the range of fp16. Use bf16 or fp32."
            );
        }
    }

    private static int ChooseMaxLength(int wanted, ModelFolder target, ModelFolder? draft)
    {
        var shorter = draft is not null && draft.Config.ContextLength < target.Config.ContextLength ? draft : target;
        var allowed = shorter.Config.ContextLength;
        if (wanted > allowed)
        {
            throw new ModelLoadException(
                $"{EngineOptions.SectionName}:{nameof(EngineOptions.MaxLength)} is {wanted}, but {shorter.Path} allows {allowed} "
                    + "tokens. Give at most that, or 0 for what the models allow."
            );
        }

        return wanted == 0 ? allowed : wanted;
    }
}
