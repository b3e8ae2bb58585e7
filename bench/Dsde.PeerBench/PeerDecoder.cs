using System.Numerics.Tensors;
using LLama;
using LLama.Common;
using LLama.Native;

namespace Dsde.PeerBench;

/// <summary>llama.cpp through LLamaSharp: greedy decoding of several sequences in one batch per step.</summary>
internal sealed class PeerDecoder : IDisposable
{
    private const int PrefillTokens = 512;

    private readonly LLamaWeights _weights;
    private readonly LLamaContext _context;

    /// <param name="path">A GGUF file.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="sequences">Most sequences at once.</param>
    /// <param name="length">Most tokens of each, its prompt included.</param>
    public PeerDecoder(string path, int threads, int sequences, int length)
    {
        var settings = new ModelParams(path)
        {
            ContextSize = (uint)(sequences * length),
            SeqMax = (uint)sequences,
            BatchSize = PrefillTokens,
            UBatchSize = PrefillTokens,
            Threads = threads,
            BatchThreads = threads,
            GpuLayerCount = 0,
        };
        _weights = LLamaWeights.LoadFromFile(settings);
        _context = _weights.CreateContext(settings);
    }

    /// <summary>What it was compiled for.</summary>
    public static string Describe() =>
        NativeApi.llama_print_system_info() is var text && text != 0
            ? System.Runtime.InteropServices.Marshal.PtrToStringUTF8(text)!.Trim()
            : "";

    /// <summary>The most probable tokens behind each prompt.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Decode(IReadOnlyList<IReadOnlyList<int>> prompts, int tokens)
    {
        var outputs = prompts.Select(_ => new List<int>()).ToArray();
        _context.NativeHandle.MemoryClear(true);
        var batch = new LLamaBatch();
        var rows = new List<(int Sequence, int Row)>();
        for (var sequence = 0; sequence < prompts.Count; sequence++)
        {
            for (var position = 0; position < prompts[sequence].Count; position++)
            {
                var isLast = position == prompts[sequence].Count - 1;
                var row = batch.Add(prompts[sequence][position], position, (LLamaSeqId)sequence, isLast);
                if (isLast)
                {
                    rows.Add((sequence, row));
                }

                if (batch.TokenCount == PrefillTokens)
                {
                    Step();
                }
            }
        }

        Step();
        for (var step = 1; step < tokens; step++)
        {
            for (var sequence = 0; sequence < prompts.Count; sequence++)
            {
                var position = prompts[sequence].Count + step - 1;
                rows.Add((sequence, batch.Add(outputs[sequence][^1], position, (LLamaSeqId)sequence, true)));
            }

            Step();
        }

        return outputs;

        void Step()
        {
            if (batch.TokenCount == 0)
            {
                return;
            }

            if (_context.NativeHandle.Decode(batch) is not DecodeResult.Ok and var failure)
            {
                throw new InvalidOperationException($"llama.cpp: {failure}");
            }

            foreach (var (sequence, row) in rows)
            {
                outputs[sequence].Add(TensorPrimitives.IndexOfMax(_context.NativeHandle.GetLogitsIth(row)));
            }

            rows.Clear();
            batch.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.Dispose();
        _weights.Dispose();
    }
}
