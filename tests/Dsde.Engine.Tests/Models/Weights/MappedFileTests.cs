using Dsde.Engine.Models;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Models.Weights;

/// <summary>What is left of the files once a model is loaded.</summary>
public sealed class MappedFileTests : IDisposable
{
    private readonly ScratchFolder _folder = new("mapped");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("F32", torch.ScalarType.Float32, true)]
    [InlineData("F32", torch.ScalarType.Float32, false)]
    [InlineData("BF16", torch.ScalarType.BFloat16, true)]
    [InlineData("BF16", torch.ScalarType.Float32, false)]
    public void No_weight_file_stays_mapped(string storedAs, torch.ScalarType type, bool isTied)
    {
        TestModelFolder.Write(_folder.Path, TestPair.TargetShape with { StoredAs = storedAs, Tied = isTied });

        using var decoder = new CachedDecoder(ModelFolder.Open(_folder.Path), 2, 16, type, torch.CPU);

        File.ReadLines("/proc/self/maps").ShouldAllBe(line => !line.Contains(_folder.Path, StringComparison.Ordinal));
    }
}
