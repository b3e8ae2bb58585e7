#!/usr/bin/env python3
"""Writes what the reference (jinja2 with the options that transformers sets) makes of the shapes and of generated templates.

Needs jinja2 3.1 (Debian: python3-jinja2). The results are kept in the repository, so the tests need neither: make.py writes shapes.json,
requests.json and generated.json beside itself. With a seed and a file, `make.py 7 more.json`, it writes other generated templates there;
with a folder of model folders, `make.py models more.json`, their own templates (of tokenizer_config.json) with the requests of all shapes.
DSDE_TEMPLATE_CASES=more.json has the tests run those.
"""
import copy, datetime, json, pathlib, random, re, sys
import jinja2, jinja2.ext, jinja2.nodes, jinja2.sandbox

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 3, 5, 14, 7, 9)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_run"), [], [], body).set_lineno(line)

    def _run(self, caller):
        return caller()


def refuse(message):
    raise jinja2.TemplateError(message)


environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
)
environment.filters["tojson"] = lambda x, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
    x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
)
environment.globals["raise_exception"] = refuse
environment.globals["strftime_now"] = lambda format: NOW.strftime(format)


def render(template, variables):
    try:
        return environment.from_string(template).render(**copy.deepcopy(variables))  # the filter indent changes lists
    except Exception:
        return None


def case(template, variables):
    return {"variables": variables, "text": render(template, variables)}


USER = ["Hi", "  What is 2+2?\n", "", "naïve 🙂 <|im_end|> ", "a {{ b }} 'c' \"d\" \\n"]
ANSWER = ["Hello.", " Four. \n", "<think>\nhm\n</think>\n\nFour", "", "x</think>y"]
TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Adds é", "parameters": {"type": "object", "properties": {"a": {"type": "number", "minimum": 0.5}}, "required": ["a"]}},
}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "abcdefgh1", "type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": [True, None, "q\"é"]}}}]}
RESULT = {"role": "tool", "name": "add", "tool_call_id": "abcdefgh1", "content": "{\"sum\": 3}"}


def conversations():
    for turns in range(1, 6):
        for shift in range(3):
            chat = [{"role": "user" if i % 2 == 0 else "assistant", "content": (USER if i % 2 == 0 else ANSWER)[(i + shift) % 5]} for i in range(turns)]
            yield chat
            yield [{"role": "system", "content": " Be short.\n"}, *chat]
    yield []
    yield [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    yield [{"role": "assistant", "content": "a"}]
    yield [{"role": "tool", "content": "a"}]
    yield [{"role": "user", "content": "a"}, CALL, RESULT]
    yield [{"role": "user", "content": "a"}, CALL, RESULT, RESULT, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    yield [{"role": "user", "content": "a"}, {**CALL, "content": "text"}, RESULT]
    yield [{"role": "user", "content": "a"}, {**CALL, "tool_calls": CALL["tool_calls"] * 2}, RESULT]
    yield [{"role": "user", "content": None}]
    yield [{"role": "user"}]
    yield [{"role": "user", "content": "a"}, {"role": "assistant", "content": None}]
    yield [{"role": "system", "content": [{"type": "text", "text": "s"}]}, {"role": "user", "content": [{"type": "text", "text": " one "}, {"type": "text", "text": "two"}]}]


def shapes():
    result = {}
    for path in sorted((HERE / "shapes").glob("*.jinja")):
        template = path.read_text()
        cases = []
        for chat in conversations():
            given = {"messages": chat, "tools": None, "documents": None, "add_generation_prompt": True, "bos_token": "<s>", "eos_token": "</s>"}
            cases.append(case(template, given))
            if len(chat) in (1, 3):
                cases.append(case(template, {**given, "tools": [TOOL, TOOL], "enable_thinking": False, "documents": [{"title": "T", "text": "x y"}]}))
                cases.append(case(template, {**given, "add_generation_prompt": False, "date_string": "1 May 2025"}))
        result[path.stem] = cases
    return result


TOOLS = [
    TOOL,
    {"type": "function", "function": {"name": "look_up", "description": "Looks <|im_end|> up.\nTwo \"lines\"", "parameters": {"type": "object", "properties": {"query": {"type": "string", "enum": ["a", "<b>"]}, "most": {"type": ["integer", "null"], "default": 5}}, "required": []}}},
]
DOCUMENTS = [{"title": "T & U", "text": "x <|END_OF_TURN_TOKEN|>\ny"}, {"text": "z", "title": "", "year": 1999}]


def calls(*functions):
    return [{"id": f"callnr{place:03}", "type": "function", "function": {"name": name, "arguments": arguments}} for place, (name, arguments) in enumerate(functions)]


def requests():
    """Chats as OpenAI's interface has them."""
    asked = {"role": "user", "content": "What is 1+2?"}
    result = {"role": "tool", "tool_call_id": "callnr000", "name": "add", "content": "{\"sum\": 3} <|im_end|>"}
    for arguments in ('{"a": 1, "b": [true, null, "q\\"\\u00e9"]}', "{}", "", '{"z":1.50,"a":{"y":-0.0,"x":1e3}}'):
        yield [asked, {"role": "assistant", "content": None, "tool_calls": calls(("add", arguments))}, result]
    yield [{"role": "system", "content": "Be short."}, asked]
    yield [asked]
    yield [asked, {"role": "assistant", "content": "I'll add.", "tool_calls": calls(("add", '{"a": 1}'))}, result]
    yield [asked, {"role": "assistant", "content": None, "tool_calls": calls(("add", '{"a": 1}'), ("look_up", '{"query": "<b>"}'))}, result, {**result, "tool_call_id": "callnr001", "content": "none"}]
    yield [asked, {"role": "assistant", "tool_calls": calls(("add", '{"a": 1}'))}, result, {"role": "assistant", "content": "3"}, {"role": "user", "content": "And twice that?"}]
    yield [asked, {"role": "assistant", "content": "3"}, {"role": "user", "content": "Sure?"}]


def as_objects(messages):
    """What transformers wants of callers: arguments as objects, no content as None."""
    messages = copy.deepcopy(messages)
    for message in messages:
        message.setdefault("content", None)
        for call in message.get("tool_calls", []):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"] or "{}")
    return messages


def shown(template, given):
    """The text, or None where the reference refuses or something of the request makes no difference to it."""
    text = render(template, given)
    without = [given | {"tools": None}] if given["tools"] else []
    without += [given | {"documents": None}] if given["documents"] else []
    if any("tool_calls" in message for message in given["messages"]):
        without.append(given | {"messages": [{name: value for name, value in message.items() if name != "tool_calls"} for message in given["messages"]]})
    if any(message["role"] == "tool" for message in given["messages"]):
        without.append(given | {"messages": [message for message in given["messages"] if message["role"] != "tool"]})
    return None if any(render(template, other) == text for other in without) else text


def request_cases():
    """The shapes with tools, documents and further variables, given as OpenAI's interface has them."""
    result = {}
    for name in ("arguments-as-text", "command-r", "deepseek-r1", "llama3.1", "llama3.2", "mistral-tekken", "mistral-v3", "qwen2.5", "qwen3-tools", "chatml"):
        template = (HERE / "shapes" / f"{name}.jinja").read_text()
        cases = []
        for number, chat in enumerate(requests()):
            for tools, documents in ((TOOLS, None), (None, None), (None, DOCUMENTS)):
                if documents and number not in (4, 5, 9):
                    continue
                variables = {"enable_thinking": False} if "enable_thinking" in template and number % 2 else {"date_string": "1 May 2025"} if "date_string" in template and number % 2 else {}
                messages = as_objects(chat)
                if name == "arguments-as-text":
                    for message, given in zip(messages, chat):
                        for call, written in zip(message.get("tool_calls", []), given.get("tool_calls", [])):
                            call["function"]["arguments"] = written["function"]["arguments"] or "{}"
                given = {"messages": messages, "tools": tools, "documents": documents, "add_generation_prompt": True, "bos_token": "<s>", "eos_token": "</s>", **variables}
                cases.append({"messages": chat, "tools": bool(tools), "documents": bool(documents), "variables": variables, "text": shown(template, given)})
        result[name] = cases
    return {"tools": TOOLS, "documents": DOCUMENTS, "shapes": result}


VARIABLES = {
    "s": "Hello, Wörld 🙂", "t": "  a b\tc\n", "e": "", "i": 7, "z": 0, "n": -3, "f": 2.5, "g": -0.1, "yes": True, "no": False, "nil": None,
    "l": [3, 1, 2], "w": ["b", "A", "c", "a"], "mixed": [1, "1", None, 2.0, True], "d": {"b": 1, "a": "x", "items": 5}, "m": [{"k": "x", "v": 1}, {"k": "Y", "v": 3}, {"k": "x", "v": 2}],
    "empty": [], "big": 12345678901234567890, "words": "the quick brown-fox (jumps) over",
}
NAMES = [*VARIABLES, "undef"]
LITERALS = ["'x'", "\"it's\"", "'a\\nb'", "0", "1", "2", "-1", "3.0", "1e3", "1e-7", "true", "false", "none", "[]", "[1, 'b']", "(1, 2)", "{'a': 1, 2: 'z'}", "'%s-%d'", "range(4)"]
FILTERS = [
    "trim", "trim('a ')", "length", "count", "join", "join(', ')", "join('-', attribute='k')", "list", "first", "last", "upper", "lower", "default('q')", "d('q', true)", "tojson",
    "tojson(indent=2)", "tojson(sort_keys=true)", "tojson(ensure_ascii=true)", "items|list", "map('upper')|list", "map(attribute='k')|list", "map(attribute='q', default='-')|join", "select|list",
    "select('odd')|list", "reject('string')|list", "selectattr('v', 'gt', 1)|list", "rejectattr('k', 'equalto', 'x')|list", "string", "int", "int(5)", "float", "replace('a', 'bb')", "replace('l', 'L', 1)",
    "indent", "indent(2, true)", "sort", "sort(reverse=true)", "sort(attribute='v')", "sort(case_sensitive=true)", "unique|list", "reverse|list", "dictsort", "dictsort(by='value')",
    "groupby('k')|list", "batch(2)|list", "batch(2, 'x')|list", "slice(2)|list", "sum", "sum(attribute='v')", "min", "max", "abs", "round", "round(1)", "round(1, 'floor')", "capitalize", "title", "safe",
    "escape", "e", "format(1, 2)", "wordcount", "attr('k')", "truncate(9)", "center(20)", "forceescape", "nosuch",
]
TESTS = [
    "defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float", "boolean", "true", "false", "equalto 1", "eq(7)", "ne 2", "lt(3)", "gt 1", "ge 2", "le 2", "in [1, 2, 'x']",
    "odd", "even", "divisibleby 3", "lower", "upper", "sameas none", "callable", "not none", "not defined", "filter", "test", "escaped",
]
METHODS = [
    "strip()", "strip('Hd ')", "lstrip()", "rstrip('\\n')", "split()", "split(',')", "split(' ', 1)", "rsplit(None, 1)", "startswith('H')", "endswith(('d', '🙂'))", "replace('l', '')", "upper()", "lower()", "title()",
    "capitalize()", "join(['a', 'b'])", "find('o')", "rfind('o')", "index('l')", "count('l')", "format(1)", "splitlines()", "partition(',')", "rpartition(' ')", "zfill(20)", "center(21, '*')", "ljust(3)", "rjust(18)", "isdigit()",
    "isalpha()", "isupper()", "swapcase()", "removeprefix('He')", "removesuffix('🙂')", "expandtabs()", "casefold()", "items()", "keys()", "values()", "get('a')", "get('q', 0)", "append(1)", "pop()", "update({})", "index(1)",
    "__class__", "_x", "a", "nosuch()", "copy()", "items", "0", "k",
]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or"]
SLICES = ["[0]", "[-1]", "[1:]", "[:2]", "[::-1]", "[1:-1]", "[::2]", "[-2:]", "['a']", "[99]", "[5:1:-2]", "['items']"]
PERCENT = ["'%5.2f|%-6s|%03d' % (f, s, i)", "'%x %o %e %g' % (i, i, f, f)", "'%s' % l", "'%r' % s", "'%d%%' % f", "'%(a)s' % d", "'{:>8}|{:<4}|{:^5}'.format(i, 'b', 'c')", "'{0:.3f} {0:e} {1:,}'.format(f, big)", "'{a} {b!r:>5}'.format(a=1, b='x')"]


# Letters with more than one character in another case, digits of other scripts, marks.
SCRIPTS = ["ıspanak ſo ŉ ǰ", "ΐ ΰ ᾳ ᾲ ᾼ ᾷ", "ßa ﬁn ﬀ և ﬓ", "Straße ẞ İ ΣΑΣ ΑΣΑ", "ა ჿ Ა", "Ꭰ ꭰ ᏸ", "१२ ³½ a\u0301b क्या c_d", "ǆ Ǆ ǅ ǉx"]
DIGITS = ["१२", "１２", " ٣.٥ ", "-４２", "𝟗", "½", "²", "１_０", "1１"]
DATES = ["%d %b %Y", "%Y-%m-%d", "%A %B %-d, %H:%M:%S %p %j %U %W %y %I %a %e %%", "%V %G %u %w %D %F %T %R", "%_d %0d %e %-e %_m|%_H|%-H|%_j|%-j|%0e", "%^a %^B %^p %-I %_I %-p|%_p", "%-c|%^c|%_k|%-k|%0k|%-l|%0l", "%-|%_|%^|%E|%-Q|%_-0Q|%--d|%-_d|%^-d"]
FORMATS = ["('<%s|%r>'|safe) % ('<a>', '&')", "('<%s>'|safe) % ('<b>'|safe)", "('<%d>'|safe) % 5", "('<%(a)s>'|safe) % {'a': '<'}", "('<{}>'|safe).format('<')", "('<{}>'|safe).format('<'|safe)", "('<{}>'|safe).format('<')|upper ~ '<'", "'%*.*f|%-*d|' % (8, 2, 3.14159, 5, 7)", "'%.*s' % (2, 'abc')", "'%*d' % (-5, 3) ~ 'x'", "'%a|%5a' % ('é🙂', 'x')", "'{!a:>12}'.format('é🙂')"]
LOOPS = ["{% for loop in [1] %}{% endfor %}", "{% for a, loop in [[1, 2]] %}{% endfor %}", "{% for loops in [1] %}{{ loop.index }}{% endfor %}"]


def generated(seed=20261126, count=1750):
    choose = random.Random(seed)

    local = []

    def atom():
        if local and choose.random() < 0.3:
            return choose.choice(local)
        return choose.choice(NAMES) if choose.random() < 0.6 else choose.choice(LITERALS)

    def expression(depth):
        kind = choose.random() if depth > 0 else 0
        if kind < 0.2:
            return atom()
        inner = expression(depth - 1)
        if kind < 0.45:
            return f"{inner}|{choose.choice(FILTERS)}"
        if kind < 0.6:
            return f"({inner} {choose.choice(BINARY)} {expression(depth - 1)})"
        if kind < 0.68:
            return f"({inner} is {choose.choice(TESTS)})"
        if kind < 0.8:
            return f"({inner}).{choose.choice(METHODS)}"
        if kind < 0.9:
            return f"({inner}){choose.choice(SLICES)}"
        if kind < 0.95:
            return f"({inner} if {atom()} else {atom()})"
        return f"[{inner}, {atom()}]"

    def body(depth):
        return "".join(statement(depth - 1) for _ in range(choose.randint(1, 2)))

    def space():
        return choose.choice(["", "\n", " ", "\n  ", "x\n", "\n\n"])

    def tag(text):
        return "{%" + choose.choice(["", "", "-", "+"]) + " " + text + " " + choose.choice(["", "", "-", "+"]) + "%}"

    def statement(depth):
        kind = choose.randint(0, 14) if depth > 0 else 0
        e = expression(1)
        if kind <= 1:
            return space() + "{{" + choose.choice(["", "-"]) + " " + e + " " + choose.choice(["", "-"]) + "}}" + space()
        if kind == 2:
            return tag(f"if {e}") + space() + body(depth) + tag(f"elif {atom()}") + "y" + tag("else") + body(depth) + tag("endif")
        if kind == 3:
            extra = choose.choice(["loop.index", "loop.last", "loop.revindex0", "loop.previtem", "loop.nextitem", "loop.cycle('a', 'b')", "loop.changed(q)", "loop.length", "loop.depth"])
            return tag(f"for q in {choose.choice(['l', 'w', 's', 'd', 'm', 'empty', 'undef', 'range(3)', 'l|select', e])}" + choose.choice(["", " if q", " if loop is undefined"])) + "{{ q }}{{ " + extra + " }}" + body(depth) + choose.choice(["", tag("break"), tag(f"if {atom()}") + tag("continue") + tag("endif")]) + tag("else") + "none" + tag("endfor")
        if kind == 4:
            return tag(f"set {choose.choice(['new', 'other', 's', 'l', 'a'])} = {e}") + space()
        if kind == 5:
            return tag("set new" + choose.choice(["", "", f"|replace({atom()}, 'b')"])) + body(depth) + tag("endset") + "{{ new|upper }}"
        if kind == 6:
            return tag("set ns = namespace(a=1)") + tag("for q in l") + tag("set ns.a = ns.a + q") + tag("endfor") + "{{ ns.a }}"
        if kind == 7:
            return tag("macro mac(a, b=" + choose.choice(["'dflt'", "a", "s", "new", "c"]) + ")") + "{{ a }}/{{ b }}" + choose.choice(["", body(depth)]) + choose.choice(["", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller else '' }}"]) + tag("endmacro") + choose.choice(["{{ mac(1) }}", "{{ mac() }}", "{{ mac(1, 2, 3) }}", "{{ mac(b=s, a=i) }}", "{{ mac(1, c=2) }}", "{{ mac }}", "{{ [mac, mac.name, mac.arguments, mac.catch_kwargs] }}", tag("call mac(5)") + "in" + tag("endcall")])
        if kind == 8:
            return tag(f"with a = {e}, b = i") + "{{ a }}{{ b }}" + tag("endwith")
        if kind == 9:
            return tag("filter upper|replace(" + choose.choice(["'A'", "new", "other"]) + ", 'b')") + body(depth) + tag("endfilter")
        if kind == 10:
            return "{#" + choose.choice(["", "-"]) + " note " + choose.choice(["", "-"]) + "#}" + space() + tag("generation") + body(depth) + tag("endgeneration")
        if kind == 11:
            return tag("block " + choose.choice("xyzuvw") + choose.choice(["", "", " scoped", " required"])) + body(depth) + tag("endblock")
        if kind == 12:
            # A body of its own reads what is assigned around it, before or after that.
            name = choose.choice(["new", "other", "s", "i", "a", "mac"])
            read = choose.choice([tag("for q in w") + "{{ q }}%s" + tag("endfor"), tag("with b = 2") + "%s" + tag("endwith"), tag("macro mac(b=1)") + "%s" + tag("endmacro") + "{{ mac() }}", tag("filter lower") + "%s" + tag("endfilter"), tag("set b") + "%s" + tag("endset") + "{{ b }}", tag("if i") + "%s" + tag("endif")])
            read = read.replace("%s", "{{ " + name + " }}" + choose.choice(["", body(depth)]))
            write = choose.choice([tag(f"set {name} = {e}"), tag(f"if {atom()}") + tag(f"set {name} = {e}") + tag("endif"), tag(f"if {atom()}") + tag(f"set {name} = {e}") + tag(f"elif {atom()}") + tag(f"set {name} = 2") + tag("else") + tag(f"set {name} = 3") + tag("endif"), tag(f"macro {name}()") + "m" + tag("endmacro")])
            return choose.choice([read + write, write + read, read + write + read]) + "{{ " + name + " }}"
        if kind == 13:
            return choose.choice(["{{ loop }}", "{{ mac }}", "{{ new is defined }}{{ q is defined }}{{ a is defined }}", "{{ ns }}", "{{ caller }}"])
        return choose.choice(["{% raw %}{{ x }}\n{% endraw %}", "{%- for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{{ l | batch(2) | map('join', '+') | join('|') }}", "{% for a in [1,[2,[3]]] recursive %}{{ loop(a) if a is iterable else a }}{% endfor %}", "{{ '{{' ~ \"}}\" }}"] + ["{{ " + p + " }}" for p in PERCENT])

    templates = ["{{ " + p + " }}" for p in PERCENT]
    templates += ["{{ " + f"{a} ** {b}" + " }}" for a in ("i", "n", "f", "g", "z", "yes", "s", "big") for b in ("i", "z", "n", "f", "yes", "nil")]
    templates += ["{{ " + f"{v}|{f}" + " }}" for v in NAMES for f in FILTERS]
    templates += ["{{ " + f"{v} is {t}" + " }}" for v in NAMES for t in TESTS]
    templates += ["{{ " + f"{v}.{m}" + " }}" for v in ("s", "t", "d", "l", "m[0]", "words", "undef") for m in METHODS]
    templates += ["{{ " + f"{a} {o} {b}" + " }}" for a in NAMES for o in BINARY for b in ("s", "i", "n", "f", "l", "d", "nil", "undef", "yes", "big")]
    templates += ["{{ " + v + s + " }}" for v in NAMES for s in SLICES]
    templates += ["{{ " + expression(3) + " }}" for _ in range(count)]
    templates += [f"{{{{ ({value}){part}{filtered} }}}}" for value in LITERALS + ["'a' ~ 'bcd'", "[1, 2] + [3]", "7 if true", "none or 'xyz'", "'abc'|upper"] for part in ("[1:]", "[:1]", "['a':]", "[::0]", "[1:][0]") for filtered in ("", "|default('q')", " ~ 'x'", "|string|length")]
    local[:] = ["new", "other", "q", "a", "b", "mac", "loop", "ns"]
    templates += [body(4) for _ in range(count)]
    local.clear()
    templates += ["{{ strftime_now('" + date + "') }}" for date in DATES]
    templates += ["{{ '" + text + "'|" + f + " }}" for text in SCRIPTS for f in ("upper", "lower", "capitalize", "title", "wordcount")]
    templates += ["{{ '" + text + "'." + m + "() }}" for text in SCRIPTS for m in ("title", "swapcase", "casefold", "istitle")]
    templates += ["{{ '" + text + "'|int(-1) }}|{{ '" + text + "'|float(-1) }}" for text in DIGITS]
    templates += ["{{ " + text + " }}" for text in FORMATS] + LOOPS
    cases = [{"template": template, "text": render(template, VARIABLES)} for template in dict.fromkeys(templates)]
    # Addresses, memory layouts and complex numbers are nothing that a chat is made of.
    return [case for case in cases if case["text"] is None or not re.search(r" at 0x|0x0|object at|<built-in|iterator|<class|<bound|<function|Markup\(|\dj\)", case["text"], re.I)]


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, indent=None, separators=(",", ":")).replace('},{"', '},\n{"') + "\n")


def published(folder):
    requests = {json.dumps(case["variables"], sort_keys=True): case["variables"] for cases in shapes().values() for case in cases}
    for path in sorted(pathlib.Path(folder).glob("*/tokenizer_config.json")):
        config = json.loads(path.read_text())
        token = lambda name: (config.get(name) or {}).get("content", "") if isinstance(config.get(name), dict) else config.get(name) or ""
        templates = config.get("chat_template") or []
        for template in [templates] if isinstance(templates, str) else [named["template"] for named in templates]:
            for request in requests.values():
                yield {"template": template, **case(template, {**request, "bos_token": token("bos_token"), "eos_token": token("eos_token")})}


if __name__ == "__main__":
    if len(sys.argv) == 3 and pathlib.Path(sys.argv[1]).is_dir():
        cases = list(published(sys.argv[1]))
        write(pathlib.Path(sys.argv[2]).absolute(), {"variables": {}, "cases": cases})
    elif len(sys.argv) == 3:
        cases = generated(int(sys.argv[1]), 5000)
        write(pathlib.Path(sys.argv[2]).absolute(), {"variables": VARIABLES, "cases": cases})
    else:
        write("shapes.json", shapes())
        write("requests.json", request_cases())
        cases = generated()
        write("generated.json", {"variables": VARIABLES, "cases": cases})
    print(len(cases), sum(item["text"] is None for item in cases), "refused")
