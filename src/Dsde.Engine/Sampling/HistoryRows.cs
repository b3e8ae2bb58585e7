using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>How often each token stands before some rows, as penalties need it. A field is null when nobody in the batch does.</summary>
/// <param name="Context">Occurrences in prompt and output. <c>[n, V] f32</c></param>
/// <param name="Output">Occurrences in the output. <c>[n, V] f32</c></param>
internal readonly record struct HistoryRows(Tensor? Context, Tensor? Output)
{
    /// <summary>Whether nobody in the batch has penalties.</summary>
    public bool IsEmpty => Context is null && Output is null;

    /// <summary>The committed tokens of a batch, in the caller's scope.</summary>
    public static HistoryRows Create(IReadOnlyList<TokenHistory> batch, int vocabularySize, Device device)
    {
        return new HistoryRows(Count(history => history.Context), Count(history => history.Output));

        Tensor? Count(Func<TokenHistory, IReadOnlyDictionary<int, int>?> pick)
        {
            if (batch.All(history => pick(history) is null))
            {
                return null;
            }

            var cells = new List<long>();
            var counts = new List<float>();
            for (var row = 0; row < batch.Count; row++)
            {
                foreach (var (id, count) in pick(batch[row]) ?? new Dictionary<int, int>())
                {
                    cells.Add(((long)row * vocabularySize) + id);
                    counts.Add(count);
                }
            }

            return SparseRows.Create([.. cells], [.. counts], batch.Count, vocabularySize, device);
        }
    }

    /// <summary>Copies of all rows.</summary>
    public HistoryRows Copy() => Map(counts => counts.clone());

    /// <summary>The first rows: views.</summary>
    public HistoryRows Take(int count) => Map(counts => counts.narrow(0, 0, count));

    /// <summary>Some rows, in that order: copies. <paramref name="rows"/>: <c>[n] i64</c>.</summary>
    public HistoryRows Select(Tensor rows) => Map(counts => counts.index_select(0, rows));

    /// <summary>Counts one more occurrence of tokens, in place. Penalties of rows without any ignore it.</summary>
    /// <param name="rows">Row of each token; a row may come several times. <c>[m] i64</c></param>
    /// <param name="tokenIds"><c>[m] i64</c></param>
    /// <param name="occurrences">1 to add, −1 to take away.</param>
    public void Add(Tensor rows, Tensor tokenIds, float occurrences)
    {
        using var scope = NewDisposeScope();
        var amounts = full_like(tokenIds, Scalars.Of(occurrences), ScalarType.Float32);
        AddTo(Context);
        AddTo(Output);

        void AddTo(Tensor? counts) => counts?.index_put_(amounts, [rows, tokenIds], accumulate: true);
    }

    private HistoryRows Map(Func<Tensor, Tensor> pick) => new(Context is null ? null : pick(Context), Output is null ? null : pick(Output));
}
