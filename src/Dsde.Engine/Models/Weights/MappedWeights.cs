using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Models.Files;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>
/// Weights of a folder, read from memory-mapped files, which nothing needs any more once all are read. What a folder stores has been
/// compared with its configuration before (<see cref="DecoderShapes"/>).
/// </summary>
internal sealed class MappedWeights(ModelFolder folder, ScalarType type) : IDisposable
{
    /// <summary>Checkpoints in bf16 keep frequencies in it, too: eight bits.</summary>
    private const double FrequencyTolerance = 0.01;

    private readonly Dictionary<(string Path, ScalarType Type), Tensor> _files = []; // [elements], the whole file mapped as one type
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>The type computed in.</summary>
    public ScalarType Type => type;

    /// <summary>One weight as the file has it, in the caller's scope, and only until this is disposed.</summary>
    /// <exception cref="ModelLoadException">It is missing, of a type that is not a float, or holds something else than numbers.</exception>
    public Tensor View(string name)
    {
        var (path, entry) = folder.Find(name);
        var weight = Read(path, StoredType.Of(path, name, entry), entry);
        if (_read.Add(name))
        {
            WeightCheck.RequireNumbers(path, name, weight, type);
        }

        return weight.view([.. entry.Shape]);
    }

    /// <summary>
    /// A norm's weight: a copy in the wanted type, or if it is stored as its distance from 1, added to that in fp32. In the caller's scope.
    /// <c>[width]</c>
    /// </summary>
    /// <exception cref="ModelLoadException">As <see cref="View"/>.</exception>
    public Tensor ReadNorm(WeightShape norm, Device device, bool isOffset)
    {
        using var scope = NewDisposeScope();
        var stored = View(norm.Name);
        var weight = isOffset ? stored.to(ScalarType.Float32).add(Scalars.Of(1), Scalars.Of(1)) : stored.to(type).clone();
        return weight.to(device).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Warns if old checkpoints keep other rotary frequencies than those computed here. Reference implementations compute them as well, so
    /// the configuration decides; but then it may be another model's.
    /// </summary>
    /// <param name="expected">Radians per position of each pair of a head's numbers.</param>
    public void CompareFrequencies(ReadOnlySpan<double> expected)
    {
        using var scope = NewDisposeScope();
        foreach (
            var name in folder.WeightNames.Where(name =>
                name.EndsWith(".inv_freq", StringComparison.Ordinal) && DecoderShapes.IsRotaryTable(name)
            )
        )
        {
            var (path, entry) = folder.Find(name);
            if (StoredType.Find(entry) is not { } storedType)
            {
                continue; // nothing needs it
            }

            var stored = Read(path, storedType, entry).to(ScalarType.Float64).data<double>().ToArray();
            for (var pair = 0; pair < Math.Max(stored.Length, expected.Length); pair++)
            {
                if (stored.Length != expected.Length || !(Math.Abs(stored[pair] - expected[pair]) <= FrequencyTolerance * expected[pair]))
                {
                    folder.Warn(
                        $"{path}: {name} is not what config.json makes of \"rope_theta\" and \"rope_scaling\". "
                            + "config.json counts; make sure that it is this model's."
                    );
                    return;
                }
            }
        }
    }

    /// <summary>Whether two weights hold the same numbers.</summary>
    /// <exception cref="ModelLoadException">As <see cref="View"/>.</exception>
    public bool AreSame(string first, string second)
    {
        using var scope = NewDisposeScope();
        return View(first).to(type).Equals(View(second).to(type));
    }

    /// <summary>Unmaps the files, once the views are gone, too.</summary>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }
    }

    /// <summary>The elements where they are mapped, or a copy of them where no number may lie.</summary>
    private unsafe Tensor Read(string path, ScalarType storedType, SafetensorsEntry entry)
    {
        var elementSize = entry.DataType.ByteSize();
        if (entry.Offset % elementSize == 0)
        {
            return Narrow(path, Map(path, storedType, elementSize), entry.Offset / elementSize, entry.ByteLength / elementSize);
        }

        var bytes = Narrow(path, Map(path, ScalarType.Byte, 1), entry.Offset, entry.ByteLength);
        var copy = empty(entry.ByteLength / elementSize, dtype: storedType);
        Buffer.MemoryCopy((void*)NativeTensor.Address(bytes), (void*)NativeTensor.Address(copy), entry.ByteLength, entry.ByteLength);
        return copy;
    }

    private static Tensor Narrow(string path, Tensor file, long first, long count) =>
        first + count <= file.NumberOfElements
            ? file.narrow(0, first, count)
            : throw new ModelLoadException($"{path} has become shorter while it was read. Load it again once nobody writes to it.");

    private Tensor Map(string path, ScalarType storedType, int elementSize)
    {
        if (!_files.TryGetValue((path, storedType), out var file))
        {
            using var stream = ModelFile.Open(path); // not by its name: that of a link has the link's own length
            file = from_file(path, false, stream.Length / elementSize, storedType).DetachFromDisposeScope();
            _files.Add((path, storedType), file);
        }

        return file;
    }
}
