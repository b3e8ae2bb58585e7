using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Benchmarking;

/// <summary>Times plain reads on a device.</summary>
internal sealed class BandwidthProbe : IDisposable
{
    private readonly MemoryReader? _reader;
    private readonly Tensor? _buffer; // [MemoryReader.ByteCount / 4] f32, on a GPU

    public BandwidthProbe(Device device, int threadCount)
    {
        if (device.type == DeviceType.CUDA)
        {
            _buffer = ones(ByteCount / sizeof(float), dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        }
        else
        {
            _reader = new MemoryReader(threadCount);
        }
    }

    /// <summary>Bytes read each time.</summary>
    public static long ByteCount => MemoryReader.ByteCount;

    /// <summary>Reads once; milliseconds.</summary>
    public double Measure()
    {
        var start = Stopwatch.GetTimestamp();
        _reader?.Read();
        if (_buffer is not null)
        {
            using var sum = _buffer.sum();
            cuda.synchronize();
        }

        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader?.Dispose();
        _buffer?.Dispose();
    }
}
