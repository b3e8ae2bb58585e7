using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Weights;
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
        ModelTokenizer tokenizer,
        CachedDecoder target,
        CachedDecoder? draft,
        int batchSize,
        string? warning
    )
    {
        Folder = folder;
        Warnings = [.. folder.Warnings, .. draftFolder?.Warnings ?? [], .. warning is null ? (string[])[] : [warning]];
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
    public ModelTokenizer Tokenizer { get; }

    /// <summary>The target.</summary>
    public CachedDecoder Target { get; }

    /// <summary>The draft; null without one.</summary>
    public CachedDecoder? Draft { get; }

    /// <summary>Most sequences that run at once, where the memory for keys and values holds them.</summary>
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
        DecoderShapes.RequireIn(targetFolder);
        if (draftFolder is not null)
        {
            DecoderShapes.RequireIn(draftFolder);
        }

        var tokenizer = ModelTokenizer.Load(targetFolder);
        if (draftFolder is not null)
        {
            VocabularyComparer.RequireSame(targetFolder, tokenizer, draftFolder, ModelTokenizer.LoadWithoutChats(draftFolder));
        }

        var defaults = options.GenerationConfig == "none" ? GenerationDefaults.None : targetFolder.ReadGenerationDefaults();
        RequireType(compute, targetFolder);
        if (draftFolder is not null)
        {
            RequireType(compute, draftFolder);
        }

        var context = FindContext(options.MaxLength, targetFolder, draftFolder);
        var vocabularySize = VocabularyComparer.CountTokens(targetFolder, tokenizer);
        var isDeterministic = options.Numerics == "deterministic";
        var needs = MemoryNeeds.OfWeights(draftFolder is null ? [targetFolder] : [targetFolder, draftFolder], compute.Type);
        var isCpu = compute.Devices.All(device => device.type == DeviceType.CPU);
        if (isCpu)
        {
            needs.Require(DeviceMemory.OfMachine);
        }

        var (target, draft) = (targetFolder.Config, draftFolder?.Config);
        var plan = KvPlan.Create(
            options,
            context,
            target,
            draft,
            compute.Type,
            needs.DefaultCache(DeviceMemory.FindAvailable(compute.Devices), isGpu: !isCpu)
        );
        needs = needs with { KvCache = KvPlan.BytesPerBlock(target, draft, compute.Type) * plan.BlockCount };
        if (isCpu)
        {
            needs.Require(DeviceMemory.OfMachine);
        }

        var warning = plan.Warn(context, options);
        var targetModel = needs.Load(() => Load(targetFolder, compute.Devices));
        try
        {
            var draftModel = draftFolder is null ? null : needs.Load(() => Load(draftFolder, [compute.Device]));
            return new LoadedModels(targetFolder, draftFolder, tokenizer, targetModel, draftModel, options.BatchSize, warning)
            {
                Defaults = defaults,
            };
        }
        catch
        {
            targetModel.Dispose();
            throw;
        }

        CachedDecoder Load(ModelFolder folder, IReadOnlyList<Device> devices) =>
            new(
                folder,
                plan.SlotCount,
                plan.MaxLength,
                compute.Type,
                devices,
                isDeterministic,
                vocabularySize,
                plan.BlockCount,
                compute.Kernels
            );
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

    /// <summary>Most tokens that both models allow; what is wanted must not be more.</summary>
    private static int FindContext(int wanted, ModelFolder target, ModelFolder? draft)
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

        return allowed;
    }
}
