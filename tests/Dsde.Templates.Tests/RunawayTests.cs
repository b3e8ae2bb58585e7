using System.Diagnostics;
using System.Text.Json;

namespace Dsde.Templates.Tests;

/// <summary>
/// Templates come from strangers. Whatever one does, it ends with a refusal: soon, on a small stack, and in little memory.
/// </summary>
public sealed class RunawayTests
{
    /// <summary>What follows is done in loops without an end, and a quarter of the steps shows what each costs.</summary>
    private const string Within = "loops: ";

    private const int Deep = 10_000;
    private const int StackBytes = 512 << 10;
    private const long MostBytes = 1L << 30; // of a process that has more than this test in it
    private static readonly TimeSpan MostTime = TimeSpan.FromMinutes(1); // on a busy machine; alone it is seconds
    private static readonly TemplateLimits AllSteps = new();
    private static readonly TemplateLimits FewSteps = new() { MaxSteps = AllSteps.MaxSteps / 4 };

    public static TheoryData<string, string> Nested =>
        new()
        {
            { "parentheses", "{{ " + Repeat("(") + "1" + Repeat(")") + " }}" },
            { "lists", "{{ " + Repeat("[") + Repeat("]") + " }}" },
            { "mappings", "{{ " + Repeat("{1:") + "1" + Repeat("}") + " }}" },
            { "calls", "{{ " + Repeat("range(") + "1" + Repeat(")") + " }}" },
            { "subscripts", "{{ " + Repeat("x[") + "1" + Repeat("]") + " }}" },
            { "signs", "{{ " + Repeat("-") + "1 }}" },
            { "nots", "{{ " + Repeat("not ") + "1 }}" },
            { "conditions", "{{ " + Repeat("1 if 1 else ") + "1 }}" },
            { "conditions of conditions", "{{ 1" + Repeat(" if 1") + " }}" },
            { "targets", "{% set " + Repeat("(") + "a" + Repeat(")") + " = 1 %}" },
            { "sums", "{{ 1" + Repeat(" + 1") + " }}" },
            { "powers", "{{ 1" + Repeat(" ** 1") + " }}" },
            { "choices", "{{ 1" + Repeat(" and 1") + " }}" },
            { "attributes", "{{ x" + Repeat(".a") + " }}" },
            { "slices", "{{ 'a'" + Repeat("[:]") + " }}" },
            { "filters", "{{ x" + Repeat("|trim") + " }}" },
            { "tests", "{{ x is eq" + Repeat(" (1)") + " }}" },
            { "filter blocks", Repeat("{% filter trim %}") + Repeat("{% endfilter %}") },
            { "ifs", Repeat("{% if 1 %}") + Repeat("{% endif %}") },
            { "loops", Repeat("{% for a in x %}") + Repeat("{% endfor %}") },
            { "macros", Repeat("{% macro m() %}") + Repeat("{% endmacro %}") },
            { "blocks", string.Concat(Enumerable.Range(0, Deep).Select(i => $"{{% block b{i} %}}")) + Repeat("{% endblock %}") },
            { "sets", Repeat("{% set a %}") + Repeat("{% endset %}") },
            { "withs", Repeat("{% with a = 1 %}") + Repeat("{% endwith %}") },
            { "values", "{% set a = [1] %}" + Repeat("{% set a = [a] %}") + "{{ a }}" },
            { "compared values", Twice("[a]") + "{{ a == b }}" },
            { "ordered values", Twice("[a]") + "{{ a < b }}" },
            { "keys", "{% set a = (1,) %}" + Repeat("{% set a = (a,) %}") + "{{ {a: 1} }}" },
            { "JSON", "{% set a = [1] %}" + Repeat("{% set a = [a] %}") + "{{ a|tojson }}" },
        };

    public static TheoryData<string> Endless =>
        [
            "{{ 'x' * 10**9 }}",
            "{{ [1] * 10**9 }}",
            "{{ (1, 2) * 10**18 }}",
            "{{ range(10**12) }}",
            "{{ range(10**12)|list }}",
            "{{ 10**(10**10) }}",
            "{{ 10**4400 }}",
            "{{ 'x'.ljust(10**9) }}",
            "{{ 'x'.center(2000000000) }}",
            "{{ 'x'|center(2000000000) }}",
            "{{ 'x'.zfill(2000000000) }}",
            "{{ '\\t'.expandtabs(2000000000) }}",
            "{{ '%2000000000d' % 1 }}",
            "{{ '%*d' % (2**40, 1) }}",
            "{{ '%*d' % (-2147483648, 1) }}",
            "{{ '%c' % 55296 }}",
            "{{ '%.2000000000f' % 1 }}",
            "{{ '{:>2000000000}'.format(1) }}",
            "{{ '{:.2000000000f}'.format(1.5) }}",
            "{{ ('x' * 1000000).replace('', 'y' * 1000) }}",
            "{{ ('x\n' * 1000000)|indent(60000) }}",
            "{{ ('y' * 1000).join(['x'] * 100000) }}",
            "{{ [1]|batch(2000000000, 0)|list }}",
            "{{ [1]|slice(2000000000)|list }}",
            "{{ " + new string('1', 5000) + " }}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% macro m(x) %}{% call m(x) %}{{ caller() }}{% endcall %}{% endmacro %}{{ m(1) }}",
            "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}",
            "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(20) }}{{ m(25) }}",
            "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "loops: {{ a }}",
            "loops: ",
            "loops: {% continue %}",
            "loops: {% set t = 'y' in big %}",
            "loops: {% set t = big.upper() %}",
            "loops: {% set t = big.title() %}",
            "loops: {% set t = big.casefold() %}",
            "loops: {% set t = big|wordcount %}",
            "loops: {% set t = big|length %}",
            "loops: {% set t = big[5] %}",
            "loops: {% set t = big == other %}",
            "loops: {% set t = big < other %}",
            "loops: {% set t = big is lower %}",
            "loops: {% set t = {big: 1} %}",
            "loops: {% set t = big.find(half) %}",
            "loops: {% set t = half in big %}",
            "loops: {% set t = big.count(half) %}",
            "loops: {% set t = many.count(1) %}",
            "loops: {% set t = 1 in many %}",
            "loops: {% set t = many|last %}",
            "loops: {% set t = many|sum %}",
            "loops: {% set t = many == others %}",
            "loops: {% set t = range(99999).count(1) %}",
            "loops: {% set t = 5 in range(99999)|list %}",
            "loops: {% set t = large * large %}",
            "loops: {% set t = large // 3 %}",
            "loops: {% set t = large|string %}",
            "loops: {% set t = big.rsplit('x') %}",
            "loops: {% set t = big.partition(half) %}",
            "loops: {% set t = many|unique|list %}",
            "loops: {% set t = many|sort %}",
            Loops("{% set ns.a = ns.a + ns.a %}"), // memory is taken by all the steps
            Loops("{% set ns.t = ns.t + 'xxxxxxxx' %}"),
            "{% set ns = namespace(a=('x' * 9000000).split('x')) %}",
            "{{ ('x,' * 8000000).rsplit(',')|length }}",
            "{{ ('x\n' * 8000000).splitlines()|length }}",
            "{{ ('x' * 16000000)|list|length }}",
            "{{ ('x' * 16000000)|last }}",
            Doubled("[a, a]") + "{{ a == b }}",
            Doubled("[a, a]") + "{{ a < b }}",
            Doubled("[a, a]") + "{{ [a]|sort }}{{ a in [b] }}",
            Doubled("(a, a)") + "{{ {a: 1} }}",
            Doubled("[a, a]") + "{{ a }}",
            Doubled("[a, a]") + "{{ a|tojson }}",
            Doubled("{'a': a, 'b': a}") + "{{ a == b }}",
            Names(),
        ];

    [Theory]
    [MemberData(nameof(Nested))]
    public void What_nests_ten_thousand_deep_is_refused(string what, string source) =>
        Run(source).ShouldNotBeNull(what).IsLimit.ShouldBeTrue(what);

    [Theory]
    [MemberData(nameof(Endless))]
    public void What_would_take_for_ever_or_all_memory_is_refused_soon(string source)
    {
        var before = Process.GetCurrentProcess().PrivateMemorySize64;

        var refusal = source.StartsWith(Within, StringComparison.Ordinal) ? Run(Loops(source[Within.Length..]), FewSteps) : Run(source);

        refusal.ShouldNotBeNull();
        (Process.GetCurrentProcess().PrivateMemorySize64 - before).ShouldBeLessThan(MostBytes);
    }

    [Fact]
    public void What_is_long_and_does_little_runs()
    {
        Run(string.Concat(Enumerable.Range(0, Deep).Select(i => $"{{% set a{i} = {i} %}}{{{{ a{i} }}}}"))).ShouldBeNull();
        Run("{{ " + string.Join(" ~ ", Enumerable.Repeat("'a'", Deep)) + " }}").ShouldBeNull();
        Run("{{ " + string.Join(" ", Enumerable.Repeat("'a'", Deep * 10)) + " }}").ShouldBeNull();
        Run("{{ [" + string.Join(", ", Enumerable.Repeat("1", Deep)) + "]|sum }}").ShouldBeNull();
        Run("{% if 0 %}" + Repeat("{% elif 0 %}") + "{% endif %}").ShouldBeNull();
        Run("{% raw %}" + Repeat("{% x %}") + "{% endraw %}" + Repeat("{# #}{% print 1 %}")).ShouldBeNull();
        Run("{{ x == x }}{{ ('y' * 1000000).replace('y', 'z').upper()|length }}").ShouldBeNull();
    }

    [Theory]
    [MemberData(nameof(ReferenceTests.Names), MemberType = typeof(ReferenceTests))]
    public void The_longest_chats_there_are_stay_far_from_the_limits(string shape)
    {
        var template = Template.Parse(ReferenceTests.Shape(shape), new TemplateLimits { MaxSteps = 10_000_000 });

        foreach (var (turns, length) in new[] { (4095, 1_000), (3, 1_300_000) })
        {
            template.Render(Chat(turns, length), TimeProvider.System).Value.Length.ShouldBeGreaterThan(turns / 2 * length);
        }
    }

    private static Dictionary<string, TemplateValue> Chat(int turns, int length)
    {
        var said = TemplateValue.FromData(string.Concat(Enumerable.Repeat("So it is. ", length / 10)));
        var messages = Enumerable
            .Range(0, turns)
            .Select(turn =>
                TemplateValue.OfFields([("role", TemplateValue.FromTemplate(turn % 2 == 0 ? "user" : "assistant")), ("content", said)])
            );
        return new Dictionary<string, TemplateValue>
        {
            ["messages"] = TemplateValue.OfItems(messages),
            ["tools"] = TemplateValue.None,
            ["add_generation_prompt"] = TemplateValue.Of(true),
            ["bos_token"] = TemplateValue.FromTemplate("<s>"),
            ["eos_token"] = TemplateValue.FromTemplate("</s>"),
        };
    }

    /// <summary>How it was refused; null if it ran.</summary>
    private static TemplateException? Run(string source) => Run(source, AllSteps);

    private static TemplateException? Run(string source, TemplateLimits limits)
    {
        Exception? caught = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    Template
                        .Parse(source, limits)
                        .Render(new Dictionary<string, TemplateValue> { ["x"] = TemplateValue.FromData("x") }, TimeProvider.System);
                }
                catch (Exception exception)
                {
                    caught = exception;
                }
            },
            StackBytes
        );
        thread.Start();
        thread.Join(MostTime * limits.MaxSteps / AllSteps.MaxSteps).ShouldBeTrue($"{source[..Math.Min(source.Length, 100)]} did not end");
        return caught is null ? null : caught.ShouldBeOfType<TemplateException>();
    }

    private static string Repeat(string text) => string.Concat(Enumerable.Repeat(text, Deep));

    private static string Loops(string body) =>
        "{% set big = 'x' * 4000000 %}{% set other = 'x' * 4000000 %}{% set half = 'x' * 1000000 ~ 'y' ~ 'x' * 1000000 %}"
        + "{% set many = [0] * 1000000 %}{% set others = [0] * 1000000 %}{% set large = 3 ** 8000 %}"
        + "{% set ns = namespace(a=['x'], t='x') %}"
        + $"{{% for a in range(99999) %}}{{% for b in range(99999) %}}{body}{{% endfor %}}{{% endfor %}}";

    private static string Twice(string step) =>
        $"{{% set a = [1] %}}{Repeat($"{{% set a = {step} %}}")}{{% set b = a %}}"
        + $"{{% set a = [1] %}}{Repeat($"{{% set a = {step} %}}")}";

    /// <summary>A value in itself twice, a hundred times over: more items than there are atoms.</summary>
    private static string Doubled(string step)
    {
        var steps = string.Concat(Enumerable.Repeat($"{{% set a = {step} %}}", 100));
        return $"{{% set a = (1, 1) %}}{steps}{{% set b = a %}}{{% set a = (1, 1) %}}{steps}";
    }

    private static string Names() =>
        string.Concat(Enumerable.Range(0, 3 * Deep).Select(i => $"{{% set a{i} = {i} %}}"))
        + string.Concat(Enumerable.Repeat("{% if x %}{% endif %}", 3 * Deep));
}
