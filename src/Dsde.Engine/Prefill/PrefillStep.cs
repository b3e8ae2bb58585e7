using Dsde.Engine.Models;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Prefill;

/// <summary>
/// Works through what stands before iterations, several sequences in one pass and at most a budget of tokens at a time, so that long
/// prompts don't hold up the sequences that are decoding. The pass that ends a prompt emits the sequence's first token. In the same pass a
/// draft catches up that an iteration would have to wait for.
/// </summary>
internal sealed class PrefillStep(CachedDecoder target, CachedDecoder? draft, PrefillPlanner planner, Device device, TimeProvider time)
{
    /// <summary>Does one pass. The result is how many tokens were emitted.</summary>
    public int Run(IReadOnlyList<Sequence> batch)
    {
        var chunks = planner.Plan(batch);
        if (chunks.Count == 0)
        {
            return 0;
        }

        var start = time.GetTimestamp();
        int emitted;
        using (var scope = NewDisposeScope())
        {
            emitted = RunChunks(chunks);
        }

        var elapsedMs = time.GetElapsedTime(start).TotalMilliseconds;
        CountTime(batch, chunks, elapsedMs);
        return emitted;
    }

    /// <summary>Everybody in the batch has waited for the pass; those with a part in it bear the cost, by their rows.</summary>
    private static void CountTime(IReadOnlyList<Sequence> batch, IReadOnlyList<PrefillChunk> chunks, double elapsedMs)
    {
        var rows = chunks.Sum(chunk => chunk.RowCount);
        foreach (var chunk in chunks)
        {
            // There may be no rows at all, where everything was taken from other sequences.
            var share = rows == 0 ? 1.0 / chunks.Count : (double)chunk.RowCount / rows;
            chunk.Sequence.Clock.AddPrefill(elapsedMs, share);
        }

        foreach (var other in batch.Except(chunks.Select(chunk => chunk.Sequence)))
        {
            other.Clock.AddOthers(elapsedMs);
        }
    }

    private int RunChunks(IReadOnlyList<PrefillChunk> chunks)
    {
        var targetPass = new PrefillPass(target, device);
        var draftPass = draft is null ? null : new PrefillPass(draft, device);
        foreach (var chunk in chunks)
        {
            targetPass.Add(
                chunk.Sequence,
                chunk.TargetFirst,
                chunk.TargetEnd,
                chunk.EmitsFirstToken ? chunk.TargetEnd - 1 : chunk.TargetEnd
            );
            draftPass?.Add(chunk.Sequence, chunk.DraftFirst, chunk.DraftEnd, FirstForetold(chunk));
        }

        var transfer = new HostTransfer();
        var targetLogits = targetPass.Run(); // [n, V] f32, a row for each first token
        var draftLogits = draftPass?.Run(); // [m, V] f32
        var firstTokens = targetLogits is null ? null : Draw(targetPass.Wanted, targetLogits, transfer);
        var choices = draftLogits is null ? default : transfer.Add(TokenScores.Compute(draftLogits, RowsOf(draftPass!.Wanted)).Best);
        if (targetLogits is not null || draftLogits is not null)
        {
            transfer.Run();
        }

        foreach (var chunk in chunks)
        {
            if (chunk.Completes)
            {
                chunk.Sequence.BeginDecoding();
            }
        }

        var emitted = firstTokens is null ? 0 : Commit(targetPass.Wanted, firstTokens);
        if (draftLogits is not null)
        {
            NoteForetold(draftPass!.Wanted, transfer[choices]);
        }

        return emitted;
    }

    /// <summary>The draft's first row that foretells a token of the output: what it would have said there is recorded.</summary>
    private static int FirstForetold(PrefillChunk chunk) =>
        chunk.Sequence.IsDecoding || chunk.EmitsFirstToken ? Math.Max(chunk.DraftFirst, chunk.Sequence.PromptLength - 1) : chunk.DraftEnd;

    private TargetTokens Draw(IReadOnlyList<(Sequence Sequence, int Position)> wanted, Tensor logits, HostTransfer transfer)
    {
        var rows = RowsOf(wanted);
        var scores = TokenScores.Compute(logits, rows);
        var drawn = rows.Parameters.AnyRejection ? Distributions.Draw(scores.Distribution(), ExtraUniforms(wanted)) : null;
        return new TargetTokens(
            transfer,
            logits,
            TokenMeasures.LogNormalizer(logits),
            scores,
            rows.Parameters.Pick(drawn, scores.Best),
            wanted.Max(row => row.Sequence.Request.TopLogProbabilityCount)
        );
    }

    private static int Commit(IReadOnlyList<(Sequence Sequence, int Position)> rows, TargetTokens tokens)
    {
        var emitted = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            var sequence = rows[i].Sequence;
            if (tokens.IsNumber(i))
            {
                sequence.Commit(tokens.At(i, draftMatch: -1, sequence.Request.TopLogProbabilityCount));
                emitted++;
            }
            else
            {
                sequence.FailForNumbers(rows[i].Position);
            }
        }

        return emitted;
    }

    private static void NoteForetold(IReadOnlyList<(Sequence Sequence, int Position)> rows, ReadOnlySpan<float> choices)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            var (sequence, position) = rows[i];
            if (position < sequence.Length) // the target may have had nothing to say there
            {
                sequence.Recorder.SetDraftMatch(position - sequence.PromptLength, (int)choices[i] == sequence.TokenIds[position]);
            }
        }
    }

    private RowSampling RowsOf(IReadOnlyList<(Sequence Sequence, int Position)> rows) =>
        RowSampling.ForNextTokens(
            [
                .. rows.Select(row =>
                    (
                        row.Sequence.Request.Sampling,
                        row.Sequence.HistoryBefore(row.Position),
                        row.Position,
                        row.Sequence.AllowedAt(row.Position)
                    )
                ),
            ],
            target.VocabularySize,
            device
        );

    private Tensor ExtraUniforms(IReadOnlyList<(Sequence Sequence, int Position)> rows) =>
        from_array(
            rows.Select(row =>
                    CounterRandom.Uniform(row.Sequence.Request.Sampling.Seed, CounterRandom.Purpose.Extra, row.Position, row.Position)
                )
                .ToArray(),
            device: device
        );
}
