using Dsde.Engine.Cpu.Memory;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>Kernels in machine code, one per tile.</summary>
internal sealed unsafe class AssembledKernel : LinearKernel
{
    private const int MaxBlocks = 4;

    private readonly delegate* unmanaged<void*, void*, nint, nint, float*, nint, nint, nint, void>[] _entries; // by rows and blocks

    private AssembledKernel(KernelForm form, TileTable tiles, byte* code, int[] offsets)
        : base(form, tiles)
    {
        _entries = new delegate* unmanaged<void*, void*, nint, nint, float*, nint, nint, nint, void>[offsets.Length];
        for (var i = 0; i < offsets.Length; i++)
        {
            _entries[i] = (delegate* unmanaged<void*, void*, nint, nint, float*, nint, nint, nint, void>)(
                offsets[i] < 0 ? null : code + offsets[i]
            );
        }
    }

    /// <summary>Assembles all tiles; null where the system does not let code be made at run time.</summary>
    public static AssembledKernel? TryCreate(KernelForm form, TileTable tiles)
    {
        const int Alignment = 64;
        var code = new List<byte>();
        var offsets = new int[form.RegisterCount * MaxBlocks];
        Array.Fill(offsets, -1);
        for (var index = 0; index < offsets.Length; index++)
        {
            var tile = new TileShape((index / MaxBlocks) + 1, (index % MaxBlocks) + 1);
            if (form.Fits(tile))
            {
                offsets[index] = code.Count;
                code.AddRange(TileAssembler.Assemble(form, tile));
                code.AddRange(new byte[(Alignment - (code.Count % Alignment)) % Alignment]);
            }
        }

        var memory = ExecutableMemory.TryPlace(code.ToArray());
        return memory == null ? null : new AssembledKernel(form, tiles, (byte*)memory, offsets);
    }

    /// <inheritdoc/>
    public override void Multiply(
        TileShape tile,
        void* weights,
        nint blockStride,
        void* activations,
        nint steps,
        float* sums,
        nint sumStride,
        WeightsAhead ahead
    ) =>
        _entries[((tile.Rows - 1) * MaxBlocks) + tile.Blocks - 1]
            (weights, activations, steps, blockStride, sums, sumStride, ahead.Address, ahead.Advance);
}
