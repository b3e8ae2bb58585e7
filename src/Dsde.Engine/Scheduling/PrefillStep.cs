using Dsde.Engine.Models;
using Dsde.Engine.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Scheduling;

/// <summary>
/// Works through prompts, several sequences in one pass and at most a budget of tokens at a time, so that long prompts don't hold up the
/// sequences that are decoding. The pass that ends a prompt emits the sequence's first token.
/// </summary>
internal sealed class PrefillStep(CachedDecoder target, CachedDecoder? draft, int tokenBudget, Device device, TimeProvider time)
{
    /// <summary>Does one pass over what is left of the prompts of the batch, oldest slots first.</summary>
    public void Run(IReadOnlyList<Sequence> batch)
    {
        var chunks = Choose(batch);
        if (chunks.Count == 0)
        {
            return;
        }

        var start = time.GetTimestamp();
        using (var scope = NewDisposeScope())
        {
            RunChunks(chunks);
        }

        var elapsedMs = time.GetElapsedTime(start).TotalMilliseconds;
        foreach (var (sequence, _, _) in chunks)
        {
            sequence.Clock.AddPrefill(elapsedMs);
        }
    }

    private List<(Sequence Sequence, int First, int Count)> Choose(IReadOnlyList<Sequence> batch)
    {
        var chunks = new List<(Sequence, int, int)>();
        var left = tokenBudget;
        foreach (var sequence in batch.Where(sequence => !sequence.IsDecoding))
        {
            var first = target.Cache.LengthOf(sequence.Slot);
            var count = Math.Min(left, sequence.PromptLength - first);
            if (count > 0)
            {
                chunks.Add((sequence, first, count));
                left -= count;
            }
        }

        return chunks;
    }

    private void RunChunks(List<(Sequence Sequence, int First, int Count)> chunks)
    {
        var ending = chunks.Where(chunk => chunk.First + chunk.Count == chunk.Sequence.PromptLength).Select(chunk => chunk.Sequence).ToList();
        var targetLogits = Forward(target, chunks);
        var drafted = chunks.Where(chunk => chunk.Sequence.Policy.UsesDraft).ToList();
        var draftLogits = draft is null || drafted.Count == 0 ? null : Forward(draft, drafted);
        if (ending.Count > 0)
        {
            EmitFirstTokens(ending, targetLogits!, draftLogits);
        }
    }

    /// <summary>Logits of the last prompt token of each chunk that ends its prompt; null if none does. <c>[n, V] f32</c></summary>
    private Tensor? Forward(CachedDecoder model, List<(Sequence Sequence, int First, int Count)> chunks)
    {
        var layout = new PassLayout(model.Cache.MaxLength);
        var stage = new IndexStage();
        var tokens = new List<long>();
        var ends = new List<long>();
        foreach (var (sequence, first, count) in chunks)
        {
            layout.Add(sequence.Slot, first, count);
            for (var position = first; position < first + count; position++)
            {
                tokens.Add(sequence.TokenIds[position]);
            }

            if (first + count == sequence.PromptLength)
            {
                ends.Add(layout.RowCount - 1);
            }
        }

        // Logits of one row are the least a pass gives; nobody reads them while no prompt ends.
        layout.Stage(stage, ends.Count > 0 ? ends.ToArray() : [0]);
        var tokenRange = stage.Add(tokens.ToArray());
        stage.Upload(device);
        var logits = model.Forward(layout.Bind(stage, stage.Slice(tokenRange)));
        foreach (var (sequence, first, count) in chunks)
        {
            model.Cache.SetLength(sequence.Slot, first + count);
        }

        return ends.Count > 0 ? logits : null;
    }

    private void EmitFirstTokens(List<Sequence> sequences, Tensor targetLogits, Tensor? draftLogits)
    {
        var rows = RowsOf(sequences);
        var scores = TokenScores.Compute(targetLogits, rows);
        var drawn = rows.Parameters.AnyRejection ? Distributions.Draw(scores.Distribution(), ExtraUniforms(sequences)) : null;
        var readout = new Readout();
        var tokens = new TokenReadout(
            readout, targetLogits, TokenMeasures.LogNormalizer(targetLogits), scores, rows.Parameters.Pick(drawn, scores.Best),
            sequences.Max(sequence => sequence.Request.TopLogProbabilityCount));
        var draftChoices = draftLogits is null
            ? default(Range?)
            : readout.Add(TokenScores.Compute(draftLogits, RowsOf(sequences.Where(sequence => sequence.Policy.UsesDraft))).Best);
        readout.Transfer();

        var draftRow = 0;
        for (var i = 0; i < sequences.Count; i++)
        {
            var sequence = sequences[i];
            sbyte match = -1;
            if (draftChoices is { } choices && sequence.Policy.UsesDraft)
            {
                match = (int)readout[choices][draftRow++] == tokens.TokenId(i) ? (sbyte)1 : (sbyte)0;
            }

            sequence.Commit(tokens.At(i, match, sequence.Request.TopLogProbabilityCount));
        }
    }

    private RowSampling RowsOf(IEnumerable<Sequence> sequences) => RowSampling.ForNextTokens(
        [.. sequences.Select(sequence => (sequence.Request.Sampling, sequence.History, sequence.Length))], target.VocabularySize, device);

    private Tensor ExtraUniforms(List<Sequence> sequences) => from_array(
        sequences.Select(sequence => CounterRandom.Uniform(sequence.Request.Sampling.Seed, CounterRandom.Purpose.Extra, sequence.Length, sequence.Length)).ToArray(),
        device: device);
}
