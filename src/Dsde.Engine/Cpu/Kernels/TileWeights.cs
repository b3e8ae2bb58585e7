namespace Dsde.Engine.Cpu.Kernels;

/// <summary>Four rows of a weight.</summary>
/// <typeparam name="T">One number.</typeparam>
internal unsafe ref struct TileWeights<T>
    where T : unmanaged
{
    public T* Row0;
    public T* Row1;
    public T* Row2;
    public T* Row3;

    /// <summary>Numbers in a row, a multiple of 32.</summary>
    public nint Width;

    /// <summary>How many numbers ahead memory is asked for: the distance to the tile that comes next.</summary>
    public nint Ahead;
}
