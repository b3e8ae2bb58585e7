using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Models.Operators;

/// <summary>Whole passes against the same operators one by one, in every family.</summary>
public sealed class CpuPassTests : IDisposable
{
    private const int MaxLength = 64;
    private static readonly int[] Text = [.. Enumerable.Range(0, 40).Select(i => ((i * 89) + 5) % 290)];

    private readonly ScratchFolder _folder = new("pass");

    public static TheoryData<string> Families => FamilyShapes.Names;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void Whole_passes_give_the_bits_of_single_operators(string family)
    {
        TestModelFolder.Write(_folder.Path, FamilyShapes.Find(family));
        using var mode = torch.inference_mode();
        foreach (var type in CpuOpsFixture.Types)
        {
            var whole = RunAll(type, ops => ops);
            var single = RunAll(type, ops => new SingleOperators(ops));

            whole.ShouldBe(single, type.ToString());
        }
    }

    [Fact]
    public void A_pass_allocates_no_more_than_its_logits_wrapper()
    {
        const int BytesOfWrappers = 1500; // the logits, their shape and the scope: nothing by layer or by row
        TestModelFolder.Write(_folder.Path, FamilyShapes.Find("gemma 2 without soft-caps"));
        using var mode = torch.inference_mode();
        using var scope = torch.NewDisposeScope();
        using var decoder = new DecoderUnderTestParts(_folder.Path, torch.ScalarType.BFloat16, ops => ops);
        var rows = decoder.Rows((0, 0, Text[..5]), (2, 0, Text[..9]));
        Repeat(200);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Repeat(1000);

        ((GC.GetAllocatedBytesForCurrentThread() - before) / 1000).ShouldBeInRange(0, BytesOfWrappers);

        void Repeat(int count)
        {
            for (var i = 0; i < count; i++)
            {
                decoder.Forward(rows).Dispose();
            }
        }
    }

    /// <summary>A prompt, then passes of several sequences with one row and with more; the logits of all of them.</summary>
    private List<float> RunAll(torch.ScalarType type, Func<IDecoderOps, IDecoderOps> wrap)
    {
        using var scope = torch.NewDisposeScope();
        using var decoder = new DecoderUnderTestParts(_folder.Path, type, wrap);
        var logits = new List<float>();
        Run((0, 0, Text[..20]));
        Run((1, 0, Text[..13]), (3, 0, Text[5..9]));
        Run((0, 20, Text[20..21]), (3, 4, Text[9..14]), (1, 13, Text[13..14]));
        return logits;

        void Run(params (int Slot, int First, int[] Tokens)[] spans) =>
            logits.AddRange(decoder.Forward(decoder.Rows(spans)).data<float>().ToArray());
    }

    /// <summary>A decoder with chosen operators, and its cache.</summary>
    private sealed class DecoderUnderTestParts : IDisposable
    {
        private readonly IDecoderOps _ops;
        private readonly Decoder _decoder;
        private readonly KvCache _cache;

        public DecoderUnderTestParts(string path, torch.ScalarType type, Func<IDecoderOps, IDecoderOps> wrap)
        {
            var folder = ModelFolder.Open(path);
            var placement = LayerPlacement.Spread(folder.Config, [torch.CPU]);
            _ops = CpuOpsFixture.Create(type);
            _decoder = new Decoder(
                folder.Config,
                DecoderWeights.Load(folder, type, placement, _ops, folder.Config.VocabularySize),
                wrap(_ops),
                MaxLength
            );
            _cache = new KvCache(folder.Config, slotCount: 4, MaxLength, type, placement.Layers, layout: _ops.CacheLayout);
        }

        /// <summary>The last row of each sequence and the first of all have logits.</summary>
        public PassRows Rows(params (int Slot, int First, int[] Tokens)[] spans)
        {
            var layout = new PassLayout(_cache);
            var stage = new IndexStage();
            var wanted = new List<long> { 0 };
            foreach (var (slot, first, tokens) in spans)
            {
                layout.Add(slot, first, tokens.Length);
                wanted.Add(layout.RowCount - 1);
            }

            layout.Stage(stage, wanted.ToArray());
            var range = stage.Add(spans.SelectMany(span => span.Tokens).Select(token => (long)token).ToArray());
            stage.Upload(torch.CPU);
            return layout.Bind(stage, stage.Slice(range));
        }

        public torch.Tensor Forward(PassRows rows) => _decoder.Forward(rows, _cache);

        public void Dispose()
        {
            _decoder.Dispose();
            (_ops as IDisposable)?.Dispose();
            _cache.Dispose();
        }
    }
}
