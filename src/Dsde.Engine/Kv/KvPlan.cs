using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Kv;

/// <summary>
/// How the memory for keys and values is divided. Every slot holds a sequence of the greatest length, so that a sequence fits when a slot
/// is free.
/// </summary>
/// <param name="BatchSize">Most sequences that run at once.</param>
/// <param name="SlotCount">Slots of each cache: those of the batch, and those for what ended sequences leave.</param>
internal readonly record struct KvPlan(int BatchSize, int SlotCount)
{
    private const long Megabyte = 1 << 20;

    /// <summary>Divides the memory.</summary>
    /// <param name="options">Batch size, retained slots and memory wanted.</param>
    /// <param name="maxLength">Positions of a slot.</param>
    /// <param name="target">The target.</param>
    /// <param name="draft">The draft; null without one.</param>
    /// <param name="type">Type of keys and values.</param>
    /// <exception cref="ModelLoadException">Not even one sequence fits; the message says what would.</exception>
    public static KvPlan Create(EngineOptions options, int maxLength, ModelConfig target, ModelConfig? draft, ScalarType type)
    {
        var wanted = options.BatchSize + options.RetainedSlots;
        if (options.KvCacheMegabytes == 0)
        {
            return new KvPlan(options.BatchSize, wanted);
        }

        var perPosition = KvCache.BytesPerPosition(target, type) + (draft is null ? 0 : KvCache.BytesPerPosition(draft, type));
        var memory = options.KvCacheMegabytes * Megabyte;
        var slots = (int)Math.Min(wanted, memory / (perPosition * maxLength));
        return slots >= 1
            ? new KvPlan(Math.Min(options.BatchSize, slots), slots)
            : throw new ModelLoadException(
                $"{EngineOptions.SectionName}:{nameof(EngineOptions.KvCacheMegabytes)} is {options.KvCacheMegabytes}, but a single "
                    + $"sequence of {maxLength} tokens takes "
                    + $"{((perPosition * maxLength) + Megabyte - 1) / Megabyte}. Give at least that, or a "
                    + $"{nameof(EngineOptions.MaxLength)} of at most {memory / perPosition}."
            );
    }
}
