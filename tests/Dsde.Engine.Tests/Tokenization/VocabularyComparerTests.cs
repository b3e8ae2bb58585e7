using Dsde.Engine.Models;
using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Draft and target are compared id by id; only padding behind the tokens may differ.</summary>
public sealed class VocabularyComparerTests : IDisposable
{
    private readonly TokenizerFolder _target = new(vocabularySize: 300);
    private readonly TokenizerFolder _padded = new(vocabularySize: 384);

    public void Dispose()
    {
        _target.Dispose();
        _padded.Dispose();
    }

    [Fact]
    public void Padding_may_differ_in_either_direction()
    {
        Compare(_target, _padded);
        Compare(_padded, _target);

        VocabularyComparer.CountTokens(ModelFolder.Open(_padded.Path), _padded.Load()).ShouldBe(300);
        VocabularyComparer.CountTokens(ModelFolder.Open(_target.Path), _target.Load()).ShouldBe(300);
    }

    [Fact]
    public void A_token_that_one_of_them_has_more_is_named()
    {
        Replace("\"content\":\"\\u003C|im_end|\\u003E\"", "\"content\":\"\\u003C|stop|\\u003E\"");
        Refusal().ShouldContain("1 ids differ, first 298, which is '<|im_end|>' to the target and '<|stop|>' to the draft");

        Replace("\"content\":\"\\u003C|stop|\\u003E\"", "\"content\":\"\\u003C|im_end|\\u003E\"");
        Replace("\"id\":299", "\"id\":383");
        Refusal().ShouldContain("2 ids differ, first 299, which is '<|endoftext|>' to the target and 'nothing' to the draft");
    }

    /// <summary>An id that ends outputs must have a logit, whatever the tokenizer knows.</summary>
    [Fact]
    public void Ids_that_end_outputs_count_as_tokens()
    {
        TestModelFolder.WriteJson(_padded.Path, "generation_config.json", new { eos_token_id = new[] { 298, 310 } });

        VocabularyComparer.CountTokens(ModelFolder.Open(_padded.Path), _padded.Load()).ShouldBe(311);
        Should.Throw<ModelLoadException>(() => Compare(_padded, _target)).Message.ShouldContain("311 and 300 tokens");
    }

    private string Refusal() => Should.Throw<ModelLoadException>(() => Compare(_target, _padded)).Message;

    private void Replace(string from, string to)
    {
        var path = Path.Combine(_padded.Path, "tokenizer.json");
        var text = File.ReadAllText(path);
        text.ShouldContain(from);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
    }

    private static void Compare(TokenizerFolder target, TokenizerFolder draft) =>
        VocabularyComparer.RequireSame(ModelFolder.Open(target.Path), target.Load(), ModelFolder.Open(draft.Path), draft.Load());
}
