using System.Globalization;
using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Kv;

/// <summary>
/// How much memory there is for keys and values, in blocks that all sequences share. It holds at least one sequence of the greatest length:
/// then whoever is first in the queue can always run to its end.
/// </summary>
/// <param name="SlotCount">Sequences that can hold blocks: those of the batch, and those that have ended and are retained.</param>
/// <param name="BlockCount">Blocks of each cache.</param>
/// <param name="MaxLength">Most positions of a sequence.</param>
internal readonly record struct KvPlan(int SlotCount, int BlockCount, int MaxLength)
{
    private const long Megabyte = 1 << 20;

    /// <summary>Divides the memory.</summary>
    /// <param name="options">Batch size, retained slots, length and memory wanted.</param>
    /// <param name="context">Most positions that the models allow.</param>
    /// <param name="target">The target.</param>
    /// <param name="draft">The draft; null without one.</param>
    /// <param name="type">Type of keys and values.</param>
    /// <param name="available">Bytes to be taken at most where the options leave it open.</param>
    /// <exception cref="ModelLoadException">Not even one sequence of the length that was asked for fits; the message says what
    /// would.</exception>
    public static KvPlan Create(EngineOptions options, int context, ModelConfig target, ModelConfig? draft, ScalarType type, long available)
    {
        var maxLength = options.MaxLength == 0 ? context : options.MaxLength;
        var slots = options.BatchSize + options.RetainedSlots;
        var memory = options.KvCacheMegabytes == 0 ? available : options.KvCacheMegabytes * Megabyte;
        var perBlock = BytesPerBlock(target, draft, type);
        var blocks = Math.Min(memory / perBlock, Math.Min((long)slots * BlockTable.BlocksFor(maxLength), int.MaxValue));
        if (blocks >= BlockTable.BlocksFor(maxLength))
        {
            return new KvPlan(slots, (int)blocks, maxLength);
        }

        var fitting = (int)Math.Max(0, blocks * BlockTable.BlockLength);
        return options.MaxLength == 0 && blocks > 0
            ? new KvPlan(slots, (int)blocks, fitting)
            : throw new ModelLoadException(
                $"A single sequence of {maxLength} tokens takes {Megabytes(perBlock * BlockTable.BlocksFor(maxLength))} MiB for keys and "
                    + $"values, but there are {memory / Megabyte}. Give {EngineOptions.SectionName}:"
                    + $"{nameof(EngineOptions.KvCacheMegabytes)} at least that, "
                    + $"or a {nameof(EngineOptions.MaxLength)} of at most {fitting}."
            );
    }

    /// <summary>Bytes of a block in both caches.</summary>
    public static long BytesPerBlock(ModelConfig target, ModelConfig? draft, ScalarType type) =>
        BlockTable.BlockLength * (KvCache.BytesPerPosition(target, type) + (draft is null ? 0 : KvCache.BytesPerPosition(draft, type)));

    /// <summary>What is odd about it; null for nothing.</summary>
    /// <param name="context">Most positions that the models allow.</param>
    /// <param name="options">What was wanted.</param>
    public string? Warn(int context, EngineOptions options) =>
        options.MaxLength > 0 || MaxLength == context
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"The models allow {context} tokens, but the memory for keys and values holds {MaxLength}: longer requests are refused. "
                    + $"Give {EngineOptions.SectionName}:{nameof(EngineOptions.KvCacheMegabytes)} more."
            );

    private static long Megabytes(long bytes) => (bytes + Megabyte - 1) / Megabyte;
}
