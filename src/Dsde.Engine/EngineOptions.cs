using System.ComponentModel.DataAnnotations;
using Dsde.Engine.Sampling;
using Dsde.Speculation;

namespace Dsde.Engine;

/// <summary>How the engine is set up.</summary>
public sealed class EngineOptions
{
    /// <summary>Configuration section.</summary>
    public const string SectionName = "Dsde:Engine";

    /// <summary>Hugging Face folder of the target model.</summary>
    /// <value>A path. The default is <c>models/dsde-demo-target</c>.</value>
    [Required]
    public string Target { get; set; } = "models/dsde-demo-target";

    /// <summary>
    /// Hugging Face folder of the draft model; empty for none: then nothing is proposed but by lookup (<see cref="Proposer"/>), and the
    /// policy must be autoregressive without that.
    /// </summary>
    /// <value>A path, or empty. The default is <c>models/dsde-demo-draft</c>.</value>
    public string? Draft { get; set; } = "models/dsde-demo-draft";

    /// <summary>
    /// Type of weights and of keys and values. Auto is bf16 on GPUs. On CPUs it is bf16 where the target is stored so and the processor
    /// multiplies it by itself (AVX512-BF16), and fp32 otherwise.
    /// </summary>
    /// <value><c>auto</c>, <c>bf16</c>, <c>fp16</c> (on GPUs, not Gemma 2) or <c>fp32</c>. The default is <c>auto</c>.</value>
    [RegularExpression("auto|bf16|fp16|fp32", ErrorMessage = "{0} must be auto, bf16, fp16 or fp32.")]
    public string DataType { get; set; } = "auto";

    /// <summary>
    /// Where the models are. Auto takes the first GPU if there is one. With several, as in <c>cuda:0,cuda:1</c>, the target's layers are
    /// spread over them, for a model that one GPU can't hold; the draft is on the first.
    /// </summary>
    /// <value><c>auto</c>, <c>cpu</c>, <c>cuda</c>, <c>cuda:N</c>, or several of the last three with commas between. The default is
    /// <c>auto</c>.</value>
    [RegularExpression(
        "auto|(cpu|cuda(:[0-9]{1,3})?)(,(cpu|cuda(:[0-9]{1,3})?))*",
        ErrorMessage = "{0} must be auto, cpu, cuda, cuda:N, or several of the last three with commas between."
    )]
    public string Device { get; set; } = "auto";

    /// <summary>
    /// What multiplies on CPUs. Auto is the first of the others that the processor and the system allow, and the start-up log and
    /// <c>dsde model inspect</c> say which and why; what they don't allow is refused.
    /// </summary>
    /// <value>
    /// <c>auto</c>, <c>avx512-bf16</c>, <c>avx512</c>, <c>avx2</c>, <c>portable</c> (no machine code made at run time) or <c>torch</c>. The
    /// default is <c>auto</c>.
    /// </value>
    [RegularExpression(
        "auto|avx512-bf16|avx512|avx2|portable|torch",
        ErrorMessage = "{0} must be auto, avx512-bf16, avx512, avx2, portable or torch."
    )]
    public string CpuKernels { get; set; } = "auto";

    /// <summary>
    /// Deterministic makes a token's logits bitwise independent of what else is in the batch, of how prompts are cut into chunks and of how
    /// many tokens are verified at once. The kernels of CPUs are always so; on GPUs and with <see cref="CpuKernels"/> torch it costs slower
    /// passes over many rows. Auto is fast.
    /// </summary>
    /// <value><c>auto</c>, <c>fast</c> or <c>deterministic</c>. The default is <c>auto</c>.</value>
    [RegularExpression("auto|fast|deterministic", ErrorMessage = "{0} must be auto, fast or deterministic.")]
    public string Numerics { get; set; } = "auto";

    /// <summary>Most sequences that run at once.</summary>
    /// <value>Sequences, 1 to 1024. The default is 8.</value>
    [Range(1, 1024)]
    public int BatchSize { get; set; } = 8;

    /// <summary>Most tokens of prompt and output together, a limit that reserves nothing.</summary>
    /// <value>Tokens, 0 (what the models allow) to 1048576. The default is 0.</value>
    [Range(0, 1 << 20)]
    public int MaxLength { get; set; }

    /// <summary>
    /// Most memory for keys and values of both models together, of which only what is used is touched. Where it runs out fewer sequences
    /// run
    /// at once. 0 is half of what the machine has left beside the weights (of a GPU four fifths), as far as <see cref="BatchSize"/>
    /// sequences
    /// of <see cref="MaxLength"/> can use it.
    /// </summary>
    /// <value>MiB, 0 to 16777216. The default is 0.</value>
    [Range(0, 1 << 24)]
    public int KvCacheMegabytes { get; set; }

    /// <summary>
    /// Ended sequences whose keys and values are kept for prompts that begin alike, besides those that free places of the batch hold, until
    /// the memory is needed. Running sequences share with each other without any.
    /// </summary>
    /// <value>Sequences, 0 to 64. The default is 1.</value>
    [Range(0, 64)]
    public int RetainedSlots { get; set; } = 1;

    /// <summary>A job that waits this much longer is preferred to one of the next higher priority.</summary>
    /// <value>Seconds, 1 to 86400. The default is 30.</value>
    [Range(1, 86400)]
    public int PriorityAgeingSeconds { get; set; } = 30;

    /// <summary>Most prompt tokens worked through between two iterations.</summary>
    /// <value>Tokens, 1 to 65536. The default is 512.</value>
    [Range(1, 1 << 16)]
    public int PrefillTokenBudget { get; set; } = 512;

    /// <summary>Policy of jobs that name none: what picks the speculation length (docs/architecture.md).</summary>
    /// <value>
    /// <c>dsde</c> or <c>goodput</c>, which propose no more than pays; <c>dsde-paper</c> or <c>dsde-reference</c> (like <c>dsde</c> also
    /// with
    /// <c>-nocap</c>, <c>-onpath</c>); <c>adaedl</c> (also <c>-batchstop</c>, then <c>:K</c> for at most K tokens, otherwise 7);
    /// <c>static:K</c>; or <c>autoregressive</c>. The default is <c>dsde</c>.
    /// </value>
    [Required]
    public string Policy { get; set; } = "dsde";

    /// <summary>
    /// Where the proposals of jobs that don't say come from: the draft model; lookup (what stood behind an earlier occurrence of the last
    /// tokens in the job's own prompt and output, which needs no model); or both, lookup where that promises more than the draft
    /// (docs/architecture.md#lookup). Without a draft model anything but lookup needs the <see cref="Policy"/> autoregressive.
    /// </summary>
    /// <value><c>draft</c>, <c>lookup</c> or <c>both</c>. The default is <c>draft</c>.</value>
    [RegularExpression("draft|lookup|both", ErrorMessage = "{0} must be draft, lookup or both.")]
    public string Proposer { get; set; } = "draft";

    /// <summary>The same, read.</summary>
    internal Proposer DefaultProposer => ProposerText.Parse(Proposer);

    /// <summary>
    /// Sampling mode of jobs with a temperature above 0 that name none. Coupled texts are reproducible, which a system that may deliver a
    /// job
    /// twice needs, for one to two points of acceptance (docs/sampling.md).
    /// </summary>
    /// <value><c>rejection</c> or <c>coupled</c>. The default is <c>coupled</c>.</value>
    [RegularExpression("rejection|coupled", ErrorMessage = "{0} must be rejection or coupled.")]
    public string Sampling { get; set; } = "coupled";

    /// <summary>The same, read.</summary>
    internal SamplingMode DefaultMode => Sampling == "coupled" ? SamplingMode.Coupled : SamplingMode.Rejection;

    /// <summary>
    /// Whether what the target's <c>generation_config.json</c> recommends (temperature, top_p, top_k, min_p, repetition_penalty) holds for
    /// jobs that leave it open, and its max_new_tokens bounds every job. The engine only hands it on (docs/models.md).
    /// </summary>
    /// <value><c>model</c> or <c>none</c>. The default is <c>model</c>.</value>
    [RegularExpression("model|none", ErrorMessage = "{0} must be model or none.")]
    public string GenerationConfig { get; set; } = "model";

    /// <summary>Upper bound of every speculation length, tokens included that a format forces ahead of it.</summary>
    /// <value>Tokens, 1 to 64. The default is 10.</value>
    [Range(1, 64)]
    public int MaxSpeculationLength { get; set; } = 10;

    /// <summary>
    /// Whether the policies <c>dsde</c> and <c>goodput</c> only wish, and no sequence proposes more than is expected to pay by what passes
    /// cost on this machine (docs/architecture.md#the-cost-guard). Without it they propose what they wish.
    /// </summary>
    /// <value>The default is true.</value>
    public bool CostGuard { get; set; } = true;

    /// <summary>
    /// Most time that measuring what passes cost may add to loading the models; the log has what was measured. Not used without
    /// <see cref="CostGuard"/>, nor without a draft where <see cref="Proposer"/> is not lookup. The largest models measure fewer points in
    /// that time, and a pass that has been begun is finished.
    /// </summary>
    /// <value>Seconds, 0.01 to 600. The default is 2.</value>
    [Range(0.01, 600)]
    public double ProfileSeconds { get; set; } = 2;

    /// <summary>
    /// Threads that share a pass on CPUs. 0 is one per core, or a single one for a target so small that more would be slower.
    /// </summary>
    /// <value>Threads, 0 to 1024. The default is 0.</value>
    [Range(0, 1024)]
    public int Threads { get; set; }
}
