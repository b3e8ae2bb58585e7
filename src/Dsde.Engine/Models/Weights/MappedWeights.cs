using Dsde.Engine.Models.Files;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>
/// Weights of a folder, read from memory-mapped files: what is stored in the wanted type is not copied until it is fused or moved. Keeps
/// count of what was read, because a weight that nobody asks for belongs to a computation that is not done.
/// </summary>
internal sealed class MappedWeights(ModelFolder folder, ScalarType type) : IDisposable
{
    /// <summary>Checkpoints in bf16 keep frequencies in it, too: eight bits.</summary>
    private const double FrequencyTolerance = 0.01;

    private readonly Dictionary<(string Path, ScalarType Type), Tensor> _files = []; // [elements], the whole file mapped as one type
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>One weight in the wanted type, in the caller's scope.</summary>
    /// <exception cref="ModelLoadException">It is missing, of another shape, or of a type that is not a float.</exception>
    public Tensor Read(string name, Device device, params ReadOnlySpan<long> shape) => View(name, shape).to(device).to(type);

    /// <summary>
    /// A norm's weight: as <see cref="Read"/>, or if it is stored as its distance from 1, added to that in fp32. <c>[width]</c>
    /// </summary>
    /// <exception cref="ModelLoadException">As <see cref="Read"/>.</exception>
    public Tensor ReadNorm(string name, Device device, long width, bool isOffset) =>
        isOffset ? View(name, [width]).to(device).to(ScalarType.Float32).add(Scalars.Of(1), Scalars.Of(1)) : Read(name, device, width);

    /// <summary>Refuses a folder with weights that were not read.</summary>
    /// <exception cref="ModelLoadException">There are some.</exception>
    public void RefuseLeftovers()
    {
        var leftovers = folder
            .WeightNames.Where(name => !_read.Contains(name) && !IsRotaryTable(name))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (leftovers.Count > 0)
        {
            throw new ModelLoadException(
                $"{folder.Path} has {leftovers.Count} weights that a {folder.Config.Family} model of this configuration does not use, "
                    + $"among them {leftovers[0]}. "
                    + "The output would not be the model's: weights and config.json belong to different models, or the model has "
                    + "parts that are not supported."
            );
        }
    }

    /// <summary>
    /// Warns if old checkpoints keep other rotary frequencies than those computed here. Reference implementations compute them as well, so
    /// the configuration decides; but then it may be another model's.
    /// </summary>
    /// <param name="expected">Radians per position of each pair of a head's numbers.</param>
    public void CompareFrequencies(ReadOnlySpan<double> expected)
    {
        using var scope = NewDisposeScope();
        foreach (var name in folder.WeightNames.Where(name => name.EndsWith(".inv_freq", StringComparison.Ordinal) && IsRotaryTable(name)))
        {
            var (path, entry) = folder.Find(name);
            var stored = View(name, [.. entry.Shape]).flatten().to(ScalarType.Float64).data<double>().ToArray();
            for (var pair = 0; pair < Math.Max(stored.Length, expected.Length); pair++)
            {
                if (stored.Length != expected.Length || Math.Abs(stored[pair] - expected[pair]) > FrequencyTolerance * expected[pair])
                {
                    folder.Warn(
                        $"{path}: {name} is not what config.json makes of \"rope_theta\" and \"rope_scaling\". config.json counts; make "
                            + "sure that it is this model's."
                    );
                    return;
                }
            }
        }
    }

    /// <summary>Whether two weights hold the same numbers.</summary>
    /// <exception cref="ModelLoadException">As <see cref="Read"/>.</exception>
    public bool AreSame(string first, string second, params ReadOnlySpan<long> shape)
    {
        using var scope = NewDisposeScope();
        return View(first, shape).to(type).Equals(View(second, shape).to(type));
    }

    /// <summary>Unmaps the files as far as no weight still lies in them.</summary>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }
    }

    /// <summary>Tables of frequencies, angles, sines that old checkpoints keep: nothing learnt is in a rotary embedding.</summary>
    private static bool IsRotaryTable(string name) => name.Split('.') is [.., "rotary_emb", _];

    private static ScalarType StoredType(string path, string name, SafetensorsEntry entry) =>
        entry.DataType switch
        {
            SafetensorsDataType.BF16 => ScalarType.BFloat16,
            SafetensorsDataType.F16 => ScalarType.Float16,
            SafetensorsDataType.F32 => ScalarType.Float32,
            _ => throw new ModelLoadException(
                $"{path}: {name} is stored as {entry.DataType}. Weights in BF16, F16 and F32 are read; convert this model."
            ),
        };

    private Tensor View(string name, ReadOnlySpan<long> shape)
    {
        var (path, entry) = folder.Find(name);
        if (!shape.SequenceEqual(entry.Shape.ToArray()))
        {
            throw new ModelLoadException(
                $"{path}: {name} has shape [{string.Join(", ", entry.Shape)}], but config.json makes it "
                    + $"[{string.Join(", ", shape.ToArray())}]. "
                    + "Weights and configuration belong to different models."
            );
        }

        var elementSize = entry.DataType.ByteSize();
        var stored = Map(path, StoredType(path, name, entry), elementSize);
        var (first, count) = (entry.Offset / elementSize, entry.ByteLength / elementSize);
        if (first + count > stored.NumberOfElements)
        {
            throw new ModelLoadException($"{path} has become shorter while it was read. Load it again once nobody writes to it.");
        }

        var weight = stored.narrow(0, first, count);
        if (_read.Add(name))
        {
            WeightCheck.RequireNumbers(path, name, weight, type);
        }

        return weight.view(shape.ToArray());
    }

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
