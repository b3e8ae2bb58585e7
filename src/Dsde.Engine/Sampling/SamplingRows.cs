using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// The sampling parameters of some rows as device tensors, made once per iteration. A field is null when nobody in the batch needs it: a
/// batch that is all greedy and without penalties has none at all, and then only the most probable tokens are looked at.
/// </summary>
internal sealed class SamplingRows
{
    private SamplingRows() { }

    /// <summary>Whether any sequence of the batch is in rejection mode.</summary>
    public bool AnyRejection { get; private init; }

    /// <summary>Which rows are in rejection mode; null if all are, or none. <c>[n, 1] bool</c></summary>
    public Tensor? Rejection { get; private init; }

    /// <summary>1 / temperature, 1 in greedy rows. <c>[n, 1] f32</c></summary>
    public Tensor? InverseTemperature { get; private init; }

    /// <summary>
    /// Which rows have a temperature other than 1, so that their logits are scaled. 1 or 0, null if no row has. <c>[n, 1] f32</c>
    /// </summary>
    public Tensor? IsScaled { get; private init; }

    /// <summary>Tokens kept. <c>[n, 1] i64</c></summary>
    public Tensor? TopK { get; private init; }

    /// <summary>Largest number of tokens kept by a row that is limited at all.</summary>
    public int LargestTopK { get; private init; }

    /// <summary>Mass kept, ∞ for all: sums of probabilities can round to more than 1. <c>[n, 1] f32</c></summary>
    public Tensor? TopP { get; private init; }

    /// <summary>Logarithm of the smallest kept fraction of the largest probability, −∞ for all. <c>[n, 1] f32</c></summary>
    public Tensor? LogMinP { get; private init; }

    /// <summary>Divides and multiplies logits of tokens in prompt or output. <c>[n, 1] f32</c></summary>
    public Tensor? RepetitionPenalty { get; private init; }

    /// <summary>Subtracted once per token in the output. <c>[n, 1] f32</c></summary>
    public Tensor? PresencePenalty { get; private init; }

    /// <summary>Subtracted once per occurrence in the output. <c>[n, 1] f32</c></summary>
    public Tensor? FrequencyPenalty { get; private init; }

    /// <summary>Added to the logits. <c>[n, V] f32</c></summary>
    public Tensor? Bias { get; private init; }

    /// <summary>Whether tokens are chosen by the raw logits.</summary>
    public bool LeaveLogitsAlone => !ChangeLogits && InverseTemperature is null && !Truncate;

    /// <summary>Whether there are penalties or biases.</summary>
    public bool ChangeLogits =>
        RepetitionPenalty is not null || PresencePenalty is not null || FrequencyPenalty is not null || Bias is not null;

    /// <summary>Whether tokens are ruled out.</summary>
    public bool Truncate => TopK is not null || TopP is not null || LogMinP is not null;

    /// <summary>
    /// Tensors for a batch, in the caller's scope. Truncation and temperature are off in greedy rows, where they change nothing.
    /// </summary>
    public static SamplingRows Create(IReadOnlyList<SamplingParameters> batch, int vocabularySize, Device device)
    {
        var rejecting = batch.Count(row => row.EffectiveMode == SamplingMode.Rejection);
        var topKs = batch.Select(row => row.IsGreedy || row.TopK >= vocabularySize ? 0 : row.TopK).ToArray();
        return new SamplingRows
        {
            AnyRejection = rejecting > 0,
            Rejection = rejecting > 0 && rejecting < batch.Count ? Column(row => row.EffectiveMode == SamplingMode.Rejection) : null,
            InverseTemperature = ColumnUnless(row => row.IsGreedy ? 1f : 1f / row.Temperature, 1f),
            IsScaled = ColumnUnless(row => row.IsGreedy || row.Temperature == 1f ? 0f : 1f, 0f),
            TopK = topKs.Any(k => k > 0)
                ? tensor(topKs.Select(k => k > 0 ? (long)k : vocabularySize).ToArray(), device: device).unsqueeze(1)
                : null,
            LargestTopK = topKs.Max(),
            TopP = ColumnUnless(row => row.IsGreedy || row.TopP >= 1f ? float.PositiveInfinity : row.TopP, float.PositiveInfinity),
            LogMinP = ColumnUnless(row => row.IsGreedy ? float.NegativeInfinity : MathF.Log(row.MinP), float.NegativeInfinity),
            RepetitionPenalty = ColumnUnless(row => row.RepetitionPenalty, 1f),
            PresencePenalty = ColumnUnless(row => row.PresencePenalty, 0f),
            FrequencyPenalty = ColumnUnless(row => row.FrequencyPenalty, 0f),
            Bias = CreateBias(batch, vocabularySize, device),
        };

        Tensor? ColumnUnless(Func<SamplingParameters, float> value, float off) =>
            batch.Any(row => value(row) != off) ? Column(value) : null;

        Tensor Column<T>(Func<SamplingParameters, T> value)
            where T : unmanaged
        {
            return from_array(batch.Select(value).ToArray(), device: device).unsqueeze(1);
        }
    }

    /// <summary>
    /// Drawn tokens in rejection rows, the others' in the others. <paramref name="drawn"/>: null if no row is in rejection mode; all <c>[n]
    /// i64</c>.
    /// </summary>
    public Tensor Pick(Tensor? drawn, Tensor others) =>
        drawn is null ? others
        : Rejection is null ? drawn
        : where(Rejection.squeeze(1), drawn, others);

    /// <summary>The parameters of the first rows.</summary>
    public SamplingRows Take(int count) => Map(column => column.narrow(0, 0, count));

    /// <summary>The parameters of some rows, in that order. <paramref name="rows"/>: <c>[n] i64</c>.</summary>
    public SamplingRows Select(Tensor rows) => Map(column => column.index_select(0, rows));

    private static Tensor? CreateBias(IReadOnlyList<SamplingParameters> batch, int vocabularySize, Device device)
    {
        var entries = batch
            .SelectMany((row, index) => row.LogitBias.Select(bias => (Cell: ((long)index * vocabularySize) + bias.Key, bias.Value)))
            .ToArray();
        return entries.Length == 0
            ? null
            : SparseRows.Create(
                entries.Select(entry => entry.Cell).ToArray(),
                entries.Select(entry => entry.Value).ToArray(),
                batch.Count,
                vocabularySize,
                device
            );
    }

    private SamplingRows Map(Func<Tensor, Tensor> pick)
    {
        return new SamplingRows
        {
            AnyRejection = AnyRejection,
            Rejection = Apply(Rejection),
            InverseTemperature = Apply(InverseTemperature),
            IsScaled = Apply(IsScaled),
            TopK = Apply(TopK),
            LargestTopK = LargestTopK,
            TopP = Apply(TopP),
            LogMinP = Apply(LogMinP),
            RepetitionPenalty = Apply(RepetitionPenalty),
            PresencePenalty = Apply(PresencePenalty),
            FrequencyPenalty = Apply(FrequencyPenalty),
            Bias = Apply(Bias),
        };

        Tensor? Apply(Tensor? column) => column is null ? null : pick(column);
    }
}
