using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using Dsde.Engine;
using Dsde.Pipeline.Hosting.Settings;
using Dsde.Speculation;
using Microsoft.Extensions.Options;

namespace Dsde.Worker.Cli;

/// <summary>The engine's options on the command line, over those of the configuration.</summary>
internal sealed class EngineArguments
{
    private readonly Option<string?> _target = new("--target")
    {
        Description = "Hugging Face folder of the target model.",
        HelpName = "DIR",
    };
    private readonly Option<string?> _draft = new("--draft")
    {
        Description = "Hugging Face folder of the draft model; none for no draft.",
        HelpName = "DIR",
    };
    private readonly Option<string?> _policy = new("--policy")
    {
        Description = "dsde (default), goodput, dsde-paper, dsde-reference, adaedl, static:K or autoregressive.",
        HelpName = "POLICY",
    };
    private readonly Option<string?> _proposer = new("--proposer")
    {
        Description = "draft (default), lookup (the job's own prompt and output; needs no draft) or both: where proposals come from.",
        HelpName = "PROPOSER",
    };
    private readonly Option<string?> _sampling = new("--sampling")
    {
        Description = "coupled (default) or rejection: how proposals are accepted where jobs don't say.",
        HelpName = "MODE",
    };
    private readonly Option<string?> _generationConfig = new("--generation-config")
    {
        Description = "model (default) or none: whether sampling defaults and token limit of the model's generation_config.json hold.",
        HelpName = "SOURCE",
    };
    private readonly Option<string?> _numerics = new("--numerics")
    {
        Description = "auto (default), fast or deterministic: the same logits bit by bit whatever else is in the batch.",
        HelpName = "MODE",
    };
    private readonly Option<string?> _dataType = new("--dtype")
    {
        Description = "auto (default: as stored where the machine computes that well), bf16, fp16 (GPUs) or fp32.",
        HelpName = "TYPE",
    };
    private readonly Option<string?> _cpuKernels = new("--cpu-kernels")
    {
        Description = "auto (default), avx512-bf16, avx512, avx2, portable or torch: what multiplies on a CPU.",
        HelpName = "KERNELS",
    };
    private readonly Option<string?> _device = new("--device")
    {
        Description = "auto (default), cpu, cuda or cuda:N; several with commas split the target by layers.",
        HelpName = "DEVICE",
    };
    private readonly Option<int?> _batchSize = new("--batch-size") { Description = "Most sequences at once (default 8).", HelpName = "N" };
    private readonly Option<int?> _maxLength = new("--max-length")
    {
        Description = "Most tokens of prompt and output together (default: what the models allow).",
        HelpName = "N",
    };
    private readonly Option<int?> _maxSpeculation = new("--max-speculation")
    {
        Description = "Upper bound of every speculation length (default 10).",
        HelpName = "K",
    };
    private readonly Option<int?> _kvCache = new("--kv-cache-mb")
    {
        Description =
            "Most memory for keys and values in MiB; fewer sequences run at once where it runs out (default: a share of what is free).",
        HelpName = "N",
    };
    private readonly Option<int?> _prefillBudget = new("--prefill-budget")
    {
        Description = "Most prompt tokens worked through between two iterations (default 512).",
        HelpName = "N",
    };
    private readonly Option<int?> _threads = new("--threads")
    {
        Description = "CPU threads (default: chosen by the size of the model).",
        HelpName = "N",
    };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command command) =>
        Add(
            command,
            _target,
            _draft,
            _policy,
            _proposer,
            _sampling,
            _generationConfig,
            _dataType,
            _cpuKernels,
            _numerics,
            _device,
            _batchSize,
            _maxLength,
            _kvCache,
            _maxSpeculation,
            _prefillBudget,
            _threads
        );

    /// <summary>Adds the options to a verb that tries several policies and batch sizes by itself.</summary>
    public void AddFixedTo(Command command) =>
        Add(
            command,
            _target,
            _draft,
            _proposer,
            _sampling,
            _generationConfig,
            _dataType,
            _cpuKernels,
            _numerics,
            _device,
            _maxLength,
            _kvCache,
            _maxSpeculation,
            _prefillBudget,
            _threads
        );

    /// <summary>Puts what was given over <paramref name="options"/>.</summary>
    /// <exception cref="OptionsValidationException">A value is out of range; the message names the option.</exception>
    public EngineOptions Apply(ParseResult arguments, EngineOptions options)
    {
        options.Target = arguments.GetValue(_target) ?? FindModel(options.Target);
        options.Draft = arguments.GetValue(_draft) switch
        {
            "none" => null,
            null => options.Draft is { Length: > 0 } draft ? FindModel(draft) : null,
            var given => given,
        };
        options.Proposer = arguments.GetValue(_proposer) ?? options.Proposer;
        var canPropose = options.Draft is not null || options.Proposer == Proposer.Lookup.ToText();
        options.Policy = arguments.GetValue(_policy) ?? (canPropose ? options.Policy : "autoregressive");
        options.Sampling = arguments.GetValue(_sampling) ?? options.Sampling;
        options.GenerationConfig = arguments.GetValue(_generationConfig) ?? options.GenerationConfig;
        options.Numerics = arguments.GetValue(_numerics) ?? options.Numerics;
        options.DataType = arguments.GetValue(_dataType) ?? options.DataType;
        options.CpuKernels = arguments.GetValue(_cpuKernels) ?? options.CpuKernels;
        options.Device = arguments.GetValue(_device) ?? options.Device;
        options.BatchSize = arguments.GetValue(_batchSize) ?? options.BatchSize;
        options.MaxLength = arguments.GetValue(_maxLength) ?? options.MaxLength;
        options.MaxSpeculationLength = arguments.GetValue(_maxSpeculation) ?? options.MaxSpeculationLength;
        options.KvCacheMegabytes = arguments.GetValue(_kvCache) ?? options.KvCacheMegabytes;
        options.PrefillTokenBudget = arguments.GetValue(_prefillBudget) ?? options.PrefillTokenBudget;
        options.Threads = arguments.GetValue(_threads) ?? options.Threads;
        var failures = new List<ValidationResult>();
        return Validator.TryValidateObject(options, new ValidationContext(options), failures, validateAllProperties: true)
            ? options
            : throw new OptionsValidationException(
                "",
                typeof(EngineOptions),
                failures.Select(failure => Describe(failure, arguments, options))
            );
    }

    private static void Add(Command command, params ReadOnlySpan<Option> options)
    {
        foreach (var option in options)
        {
            command.Add(option);
        }
    }

    /// <summary>Names the option if it was given, otherwise the setting, and the value.</summary>
    private string Describe(ValidationResult failure, ParseResult arguments, EngineOptions options)
    {
        var member = failure.MemberNames.First();
        var option = member switch
        {
            nameof(EngineOptions.Proposer) => _proposer,
            nameof(EngineOptions.Sampling) => _sampling,
            nameof(EngineOptions.GenerationConfig) => _generationConfig,
            nameof(EngineOptions.Numerics) => _numerics,
            nameof(EngineOptions.DataType) => _dataType,
            nameof(EngineOptions.CpuKernels) => _cpuKernels,
            nameof(EngineOptions.Device) => _device,
            nameof(EngineOptions.BatchSize) => _batchSize,
            nameof(EngineOptions.MaxLength) => _maxLength,
            nameof(EngineOptions.MaxSpeculationLength) => _maxSpeculation,
            nameof(EngineOptions.KvCacheMegabytes) => _kvCache,
            nameof(EngineOptions.PrefillTokenBudget) => _prefillBudget,
            nameof(EngineOptions.Threads) => _threads,
            nameof(EngineOptions.Policy) => _policy,
            nameof(EngineOptions.Target) => (Option)_target,
            _ => null,
        };
        var name =
            option is not null && arguments.GetResult(option) is { Implicit: false }
                ? option.Name
                : $"{EngineOptions.SectionName}:{member}";
        var property = typeof(EngineOptions).GetProperty(member);
        return $"{name} is '{property?.GetValue(options)}'; {SettingNames.Allowed(property, failure)}";
    }

    /// <summary>Where the demo target is.</summary>
    public static string DemoTarget => FindModel(new EngineOptions().Target);

    /// <summary>The demo models lie beside the launcher, which may be called from anywhere.</summary>
    private static string FindModel(string path)
    {
        var home = Environment.GetEnvironmentVariable("DSDE_HOME");
        return
            !Path.IsPathRooted(path)
            && !Directory.Exists(path)
            && home is not null
            && Path.Combine(home, path) is var atHome
            && Directory.Exists(atHome)
            ? atHome
            : path;
    }
}
