using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Templates get what messages say in the form that they show: as a text, or as a list of text parts.</summary>
public sealed class ChatContentFormTests : IDisposable
{
    private const string Each = "{% for m in messages %}[{{ m.role }}]";
    private const string Parts = "{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% endif %}{% endfor %}";

    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Each + "{{ m.content }}{% endfor %}")]
    [InlineData(Each + Parts + "{% endfor %}")]
    [InlineData(Each + "{% if m.content is string %}{{ m.content }}{% else %}" + Parts + "{% endif %}{% endfor %}")]
    [InlineData(Each + "{% if m.role == 'user' %}" + Parts + "{% else %}{{ m.content }}{% endif %}{% endfor %}")]
    [InlineData(Each + "{% if m.role == 'user' %}" + Parts + "{% else %}{{ '' + m.content }}{% endif %}{% endfor %}")]
    [InlineData(Each + "{% if m.role == 'system' %}" + Parts + "{% else %}{{ m.content | trim }}{% endif %}{% endfor %}")]
    [InlineData(Each + "{{ m.content[0].text }}{% endfor %}")]
    [InlineData(Each + "{% set c = m['content'][0] %}{{ c['text'] + '' }}{% endfor %}")]
    [InlineData(Each + "{% for letter in m.content %}{{ letter }}{% endfor %}{% endfor %}")]
    [InlineData(
        "{% macro say(c) %}" + "{% for p in c %}{{ p.text }}{% endfor %}{% endmacro %}" + Each + "{{ say(m.content) }}{% endfor %}"
    )]
    public void A_template_gets_content_in_the_form_that_it_shows_whatever_it_wants_of_each_role(string template)
    {
        var tokenizer = _folder.LoadChat(template, "<s>");

        var ids = ChatFolder.Render(tokenizer, [new("system", "be brief"), new("user", "why?"), new("assistant", "so"), new("user", "oh")]);

        TokenizerFolder.Show(tokenizer, ids).ShouldBe("[system]be brief[user]why?[assistant]so[user]oh");
    }
}
