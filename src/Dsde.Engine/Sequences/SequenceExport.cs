namespace Dsde.Engine.Sequences;

/// <summary>
/// Writes down what a sequence needs to be continued elsewhere; <see cref="Sequence"/> reads it when it is made from one.
/// </summary>
internal static class SequenceExport
{
    /// <summary>A copy that the sequence's further life does not touch.</summary>
    /// <param name="sequence">Between two iterations.</param>
    /// <param name="draftLength">What the draft has seen of it.</param>
    public static SequenceCheckpoint Create(Sequence sequence, int draftLength) =>
        new()
        {
            Version = SequenceCheckpoint.CurrentVersion,
            PromptDigest = SequenceCheckpoint.DigestOf(sequence.Request.PromptTokenIds),
            TokenIds = sequence.TokenSpan[sequence.PromptLength..].ToArray(),
            TokenLogProbabilities = [.. sequence.Recorder.LogProbabilities],
            TopLogProbabilities = [.. sequence.Recorder.MostProbable],
            DraftLength = draftLength,
            PolicyState = sequence.PolicyState.Export(),
            Acceptance = [.. sequence.Acceptance.Export(), .. sequence.LookupAcceptance.SelectMany(one => one.Export())],
            Trace = sequence.Recorder.ToTrace(sequence, sequence.Clock.Read()),
        };
}
