using Dsde.Testing;
using Dsde.Worker.Cli;

namespace Dsde.Worker.Tests.Cli;

public sealed class ModelCommandTests : IDisposable
{
    private readonly ScratchFolder _folder = new("inspect");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Inspect_says_what_was_recognised_and_what_it_takes()
    {
        var ended = await CommandLine.RunAsync("model", "inspect", Repository.PathOf("models", "dsde-demo-target"));

        ended.ExitCode.ShouldBe(ExitCodes.Success);
        Line("family").ShouldBe("Llama");
        Line("vocabulary").ShouldBe("2048 (embedding and output tied)");
        Line("context").ShouldBe("1024 tokens");
        Line("stored as").ShouldStartWith("BF16, ");
        Line("weights").ShouldContain("in bf16 or fp16");

        // 2 · 12 layers · 2 kv heads · 32 numbers · 2 bytes
        Line("KV cache").ShouldStartWith("3.0 KiB per token in bf16 or fp16, 6.0 KiB in fp32; a full context 3.0 MiB and 6.0 MiB");
        Line("positions").ShouldBe("rotary, base 10000");
        Line("tokenizer").ShouldBe("byte-level BPE, 2048 tokens, chat template of tokenizer_config.json");
        Line("soft-caps").ShouldBe("attention none, logits none");
        Line("defaults").ShouldBe("none");

        string Line(string name) =>
            ended.Output.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[name.Length..].Trim();
    }

    [Fact]
    public async Task Inspect_does_without_a_tokenizer_and_says_that_nobody_else_does()
    {
        CopyDraft();
        File.Delete(_folder.PathOf("tokenizer.json"));

        var ended = await CommandLine.RunAsync("model", "inspect", _folder.Path);

        ended.ExitCode.ShouldBe(ExitCodes.Success);
        ended.Output.ShouldContain("family");
        ended.Output.ShouldContain("tokenizer        none: run and worker take no model without one");
    }

    [Fact]
    public async Task Inspect_tells_the_models_defaults()
    {
        CopyDraft();
        await File.WriteAllTextAsync(
            _folder.PathOf("generation_config.json"),
            """{"temperature":0.7,"top_k":20.0,"do_sample":false,"top_p":null}""",
            TestContext.Current.CancellationToken
        );
        var ended = await CommandLine.RunAsync("model", "inspect", _folder.Path);

        ended.ExitCode.ShouldBe(ExitCodes.Success);
        ended.Output.ShouldContain("temperature 0.7, top_k 20");
    }

    [Fact]
    public async Task Inspect_names_what_is_not_supported()
    {
        CopyDraft();
        var config = _folder.PathOf("config.json");
        await File.WriteAllTextAsync(
            config,
            (await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken)).Replace(
                "LlamaForCausalLM",
                "MixtralForCausalLM",
                StringComparison.Ordinal
            ),
            TestContext.Current.CancellationToken
        );

        var ended = await CommandLine.RunAsync("model", "inspect", _folder.Path);

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain("MixtralForCausalLM");
        ended.Error.ShouldContain("Gemma2ForCausalLM");
    }

    private void CopyDraft()
    {
        foreach (var file in new DirectoryInfo(Repository.PathOf("models", "dsde-demo-draft")).GetFiles())
        {
            file.CopyTo(_folder.PathOf(file.Name));
        }
    }
}
