using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>A folder's own template makes a chat's ids: each family's form of a chat, literally.</summary>
public sealed class ChatTemplateTests : IDisposable
{
    private static readonly ChatTurn[] Conversation =
    [
        new("system", "Be short."),
        new("user", " Hello \n"),
        new("assistant", "Hi there. "),
        new("user", "Who are you?"),
    ];

    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(
        ChatShapes.Qwen2,
        "<|im_start|>",
        "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\n Hello \n<|im_end|>\n<|im_start|>assistant\nHi there. <|im_end|>\n"
            + "<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n"
    )]
    [InlineData(
        ChatShapes.Qwen25,
        "<|im_start|>",
        "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\n Hello \n<|im_end|>\n<|im_start|>assistant\nHi there. <|im_end|>\n"
            + "<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n"
    )]
    [InlineData(
        ChatShapes.Qwen3,
        "<|im_start|>",
        "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\n Hello \n<|im_end|>\n<|im_start|>assistant\nHi there. <|im_end|>\n"
            + "<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n"
    )]
    [InlineData(
        ChatShapes.Llama3,
        "<|begin_of_text|>",
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe short.<|eot_id|><|start_header_id|>user<|end_header_id|>\n"
            + "\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHi "
            + "there.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWho are "
            + "you?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )]
    [InlineData(
        ChatShapes.Llama31,
        "<|begin_of_text|>",
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul "
            + "2024\n\nBe short.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
            + "Hello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHi "
            + "there.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWho are "
            + "you?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )]
    [InlineData(
        ChatShapes.Llama2,
        "<s>",
        "<s>[INST] <<SYS>>\nBe short.\n<</SYS>>\n\n Hello [/INST] Hi there. </s><s>[INST] Who are you? [/INST]"
    )]
    [InlineData(ChatShapes.MistralV1, "<s>", "<s> [INST] Be short.\n\n Hello \n [/INST] Hi there. </s> [INST] Who are you? [/INST]")]
    [InlineData(ChatShapes.MistralV3, "<s>", "<s>[INST]  Hello \n[/INST] Hi there.</s>[INST] Be short.\n\nWho are you?[/INST]")]
    [InlineData(ChatShapes.MistralTekken, "<s>", "<s>[INST] Hello \n[/INST]Hi there. </s>[INST]Be short.\n\nWho are you?[/INST]")]
    [InlineData(
        ChatShapes.Gemma3,
        "<bos>",
        "<bos><start_of_turn>user\nBe short.\n\nHello<end_of_turn>\n<start_of_turn>model\nHi there.<end_of_turn>\n"
            + "<start_of_turn>user\nWho are you?<end_of_turn>\n<start_of_turn>model\n"
    )]
    public void A_chat_reads_as_the_family_has_it(string template, string bos, string expected)
    {
        var tokenizer = _folder.LoadChat(template, bos);

        var ids = ChatFolder.Render(tokenizer, Conversation);

        tokenizer.Description.ShouldEndWith("chat template of tokenizer_config.json");
        TokenizerFolder.Show(tokenizer, ids).ShouldBe(expected);
        ids.Where(tokenizer.IsSpecial)
            .Select(id => TokenizerFolder.Show(tokenizer, [id]))
            .ShouldAllBe(marker => expected.Contains(marker, StringComparison.Ordinal));
        ids.Count(tokenizer.IsSpecial).ShouldBe(ChatFolder.Markers.Sum(marker => expected.Split(marker).Length - 1));
    }

    [Theory]
    [InlineData(
        ChatShapes.Gemma2,
        "<bos>",
        "System role not supported",
        "<bos><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\nHi there.<end_of_turn>\n<start_of_turn>user\nWho are "
            + "you?<end_of_turn>\n<start_of_turn>model\n"
    )]
    [InlineData(
        ChatShapes.MistralV1Old,
        "<s>",
        "Conversation roles must alternate",
        "<s>[INST]  Hello \n [/INST]Hi there. </s>[INST] Who are you? [/INST]"
    )]
    public void A_family_without_a_system_turn_refuses_one(string template, string bos, string reason, string expected)
    {
        var tokenizer = _folder.LoadChat(template, bos);

        TokenizerFolder.Show(tokenizer, ChatFolder.Render(tokenizer, Conversation[1..])).ShouldBe(expected);
        Should.Throw<NotSupportedException>(() => ChatFolder.Render(tokenizer, Conversation)).Message.ShouldContain(reason);
    }

    [Theory]
    [InlineData(
        ChatShapes.Qwen2,
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"
    )]
    [InlineData(
        ChatShapes.Qwen25,
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
            + "a<|im_end|>\n<|im_start|>assistant\n"
    )]
    [InlineData(ChatShapes.Qwen3, "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n")]
    [InlineData(
        ChatShapes.Llama31,
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul "
            + "2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\na<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )]
    public void Without_a_system_turn_the_family_has_its_own(string template, string expected)
    {
        var tokenizer = _folder.LoadChat(template, "<|begin_of_text|>");

        TokenizerFolder.Show(tokenizer, ChatFolder.Render(tokenizer, [new("user", "a")])).ShouldBe(expected);
    }

    [Fact]
    public void Qwen3_forgets_earlier_thoughts()
    {
        var tokenizer = _folder.LoadChat(ChatShapes.Qwen3, "");

        var asked = ChatFolder.Render(tokenizer, [new("user", "a"), new("assistant", "<think>\nhm\n</think>\n\nb"), new("user", "c")]);
        var continued = ChatFolder.Render(tokenizer, [new("user", "a"), new("assistant", "<think>\nhm\n</think>\n\nb")]);

        TokenizerFolder.Show(tokenizer, asked).ShouldContain("assistant\nb<|im_end|>");
        TokenizerFolder.Show(tokenizer, continued).ShouldContain("assistant\n<think>\nhm\n</think>\n\nb<|im_end|>");
    }

    [Theory]
    [InlineData(ChatShapes.Llama2)]
    [InlineData(ChatShapes.Gemma2)]
    [InlineData(ChatShapes.MistralV3)]
    public void Turns_that_do_not_alternate_are_refused(string template)
    {
        var tokenizer = _folder.LoadChat(template, template == ChatShapes.Gemma2 ? "<bos>" : "<s>");

        Should
            .Throw<NotSupportedException>(() => ChatFolder.Render(tokenizer, [new("user", "a"), new("user", "b")]))
            .Message.ShouldContain("must alternate");
    }

    [Theory]
    [InlineData("{{ bos_token }}" + ChatShapes.Qwen2, "<s><|im_start|>system\nYou are a helpful assistant.<|im_end|>\n")]
    [InlineData("{% for m in messages %}<{{ m.role }}> {{ m.content | trim }}{% endfor %}", "<user> a")]
    [InlineData("{% for m in messages %}{% for p in m.content %}{{ p.type }}:{{ p.text }}{% endfor %}{% endfor %}", "text: a ")]
    [InlineData("{{ '[' ~ messages[0].content | upper ~ '|' ~ (tools is none) ~ unk_token ~ additional_special_tokens }}", "[ A |True")]
    public void Any_template_is_run_as_it_is(string template, string expected)
    {
        var tokenizer = _folder.LoadChat(template, "<s>");

        TokenizerFolder.Show(tokenizer, ChatFolder.Render(tokenizer, [new("user", " a ")])).ShouldStartWith(expected);
    }

    [Fact]
    public void Llama_2_ids_with_its_own_kind_of_tokenizer()
    {
        _folder
            .WithPieces("llama2")
            .WithSettings(
                new
                {
                    bos_token = "<s>",
                    eos_token = "</s>",
                    chat_template = ChatFolder.Source(ChatShapes.Llama2),
                }
            );
        var tokenizer = _folder.Load();

        var ids = ChatFolder.Render(tokenizer, [new("user", "a"), new("assistant", "b"), new("user", "c")]);

        int[] expected = [1, .. tokenizer.Encode("[INST] a [/INST] b "), 2, 1, .. tokenizer.Encode("[INST] c [/INST]")];
        ids.ShouldBe(expected);
    }

    [Fact]
    public void Dates_are_those_of_the_clock()
    {
        var tokenizer = _folder.LoadChat("{{ strftime_now('%Y-%m-%d') }}", "<s>");
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2031, 2, 3, 4, 5, 6, TimeSpan.Zero));

        tokenizer.ChatTemplates.Render([new("user", "a")], ChatInputs.None, time).Value.ShouldBe("2031-02-03");
    }
}
