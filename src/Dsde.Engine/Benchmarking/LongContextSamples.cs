using System.Diagnostics;

namespace Dsde.Engine.Benchmarking;

/// <summary>Times of long contexts, collected round by round.</summary>
/// <param name="probe">What is measured.</param>
/// <param name="layers">The linear layers alone.</param>
/// <param name="sequenceCount">Sequences.</param>
/// <param name="length">Positions of each.</param>
/// <param name="tokensPerPass">Tokens of a pass over prompts.</param>
internal sealed class LongContextSamples(AttentionProbe probe, LinearLayers layers, int sequenceCount, int length, int tokensPerPass)
{
    /// <summary>Times attention is measured in a round: it takes some milliseconds only.</summary>
    private const int Repetitions = 3;

    private const int VerifiedRows = 5;

    private readonly RooflineCase _decoding = new(sequenceCount, 1);
    private readonly RooflineCase _verifying = new(sequenceCount, Math.Min(VerifiedRows, length));
    private readonly List<(double Read, double Decode, double Verify)> _attentionMs = [];
    private readonly List<(double Prefill, double Linear)> _prefillMs = [];

    /// <summary>Attention, and if wanted the prompts; the first round needs them.</summary>
    public void Measure(BandwidthProbe bandwidth, bool measuresPrefill)
    {
        if (measuresPrefill)
        {
            var linear = MeasureLinear();
            _prefillMs.Add((probe.MeasurePrefill(tokensPerPass), linear));
        }

        for (var i = 0; i < Repetitions; i++)
        {
            var read = bandwidth.Measure() * probe.BytesOf(_decoding) / BandwidthProbe.ByteCount;
            _attentionMs.Add((read, probe.MeasureAttention(_decoding), probe.MeasureAttention(_verifying)));
        }
    }

    /// <summary>Forgets what was measured.</summary>
    public void Clear()
    {
        _attentionMs.Clear();
        _prefillMs.Clear();
    }

    /// <summary>Attention with one row of each sequence, and with several.</summary>
    public IReadOnlyList<LongContextMeasurement> SummarizeAttention() =>
        [
            new(
                _decoding,
                length,
                probe.BytesOf(_decoding),
                RooflineSamples.Median(_attentionMs.Select(ms => ms.Decode)),
                [.. _attentionMs.Select(ms => ms.Decode / ms.Read)],
                []
            ),
            new(
                _verifying,
                length,
                probe.BytesOf(_verifying),
                RooflineSamples.Median(_attentionMs.Select(ms => ms.Verify)),
                [.. _attentionMs.Select(ms => ms.Verify / (ms.Read * probe.BytesOf(_verifying) / probe.BytesOf(_decoding)))],
                [.. _attentionMs.Select(ms => ms.Verify / ms.Decode)]
            ),
        ];

    /// <summary>The prompts.</summary>
    public PrefillMeasurement SummarizePrefill() =>
        new(
            sequenceCount,
            length,
            tokensPerPass,
            [.. _prefillMs.Select(ms => sequenceCount * length / ms.Prefill * 1000)],
            [.. _prefillMs.Select(ms => ms.Prefill / ms.Linear)]
        );

    /// <summary>The linear layers of as many tokens as all prompts have, from those of one pass; milliseconds.</summary>
    private double MeasureLinear()
    {
        var start = Stopwatch.GetTimestamp();
        layers.Run(tokensPerPass);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds * sequenceCount * length / tokensPerPass;
    }
}
