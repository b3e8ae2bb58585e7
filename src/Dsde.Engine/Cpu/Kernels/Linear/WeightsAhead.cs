namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// What a kernel brings into the caches while it multiplies: the weights that come next, of as many blocks as it multiplies, which lie as far
/// apart. Where rows fill several tiles, the weights of all but the first are in a cache, and memory would stand still; so each tile
/// fetches its share.
/// </summary>
/// <param name="Address">The first byte of the first block. Nothing is read: any address does.</param>
/// <param name="Advance">Bytes for every <see cref="LinearKernel.StepGroup"/> steps.</param>
internal readonly record struct WeightsAhead(nint Address, nint Advance);
