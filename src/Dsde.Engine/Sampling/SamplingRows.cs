using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// The sampling parameters of a batch as device tensors, made once per iteration. A field is null when nobody in the batch needs it: a batch
/// that is all greedy has none at all, and then only the most probable tokens are looked at.
/// </summary>
internal sealed class SamplingRows
{
    private SamplingRows(bool allGreedy, Tensor? inverseTemperature, Tensor? greedy, Tensor? topK, Tensor? topP)
    {
        AllGreedy = allGreedy;
        InverseTemperature = inverseTemperature;
        Greedy = greedy;
        TopK = topK;
        TopP = topP;
    }

    /// <summary>Whether every row is greedy.</summary>
    public bool AllGreedy { get; }

    /// <summary>1 / temperature, 1 in greedy rows. <c>[B, 1] f32</c></summary>
    public Tensor? InverseTemperature { get; }

    /// <summary>Which rows are greedy; null if none is. <c>[B, 1] bool</c></summary>
    public Tensor? Greedy { get; }

    /// <summary>Tokens kept. <c>[B, 1] i64</c></summary>
    public Tensor? TopK { get; }

    /// <summary>Mass kept. <c>[B, 1] f32</c></summary>
    public Tensor? TopP { get; }

    /// <summary>Tensors for a batch, in the caller's scope.</summary>
    public static SamplingRows Create(IReadOnlyList<SamplingParameters> batch, Device device)
    {
        if (batch.All(row => row.IsGreedy))
        {
            return new SamplingRows(true, null, null, null, null);
        }

        return new SamplingRows(
            false,
            Column(row => row.IsGreedy ? 1f : 1f / row.Temperature),
            batch.Any(row => row.IsGreedy) ? Column(row => row.IsGreedy) : null,
            batch.Any(row => row.TopK > 0) ? Column(row => row.TopK > 0 ? (long)row.TopK : long.MaxValue) : null,
            batch.Any(row => row.TopP < 1f) ? Column(row => row.TopP) : null);

        Tensor Column<T>(Func<SamplingParameters, T> value)
            where T : unmanaged
        {
            return from_array(batch.Select(value).ToArray(), device: device).unsqueeze(1);
        }
    }

    /// <summary>The parameters of the first rows.</summary>
    public SamplingRows Take(int count) => Map(column => column.narrow(0, 0, count));

    /// <summary>The parameters of some rows, in that order. <paramref name="rows"/>: <c>[n] i64</c>.</summary>
    public SamplingRows Select(Tensor rows) => Map(column => column.index_select(0, rows));

    private SamplingRows Map(Func<Tensor, Tensor> pick)
    {
        return new SamplingRows(AllGreedy, Apply(InverseTemperature), Apply(Greedy), Apply(TopK), Apply(TopP));

        Tensor? Apply(Tensor? column) => column is null ? null : pick(column);
    }
}
