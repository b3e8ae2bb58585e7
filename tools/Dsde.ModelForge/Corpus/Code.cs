using static Dsde.ModelForge.Corpus.Words;

namespace Dsde.ModelForge.Corpus;

/// <summary>Small Python functions with a docstring: names vary, the shape of the code is regular.</summary>
internal static class Code
{
    public const string Name = "code";

    private static readonly string[] Fields =
    [
        "price",
        "weight",
        "size",
        "age",
        "score",
        "length",
        "height",
        "width",
        "value",
        "cost",
        "rank",
        "count",
    ];

    /// <summary>A signature or a wish, and the function.</summary>
    public static Document Make(Dice dice)
    {
        var (one, many) = dice.Pick(Things);
        var field = dice.Pick(Fields);
        var limit = dice.Number(2, 50);
        var (signature, wish, body) = dice.Number(0, 7) switch
        {
            0 => (
                $"def total_{field}({many}):",
                $"returns the total {field} of all {many}",
                $"    \"\"\"Return the total {field} of all {many}.\"\"\"\n    total = 0\n    for {one} in {many}:\n        total += "
                    + $"{one}.{field}\n    return total\n"
            ),
            1 => (
                $"def count_{many}_above_{limit}({many}):",
                $"counts the {many} with {A(field)} above {limit}",
                $"    \"\"\"Count the {many} with {A(field)} above {limit}.\"\"\"\n    count = 0\n    for {one} in {many}:\n        if "
                    + $"{one}.{field} > {limit}:\n            count += 1\n    return count\n"
            ),
            2 => (
                $"def largest_{field}({many}):",
                $"finds the largest {field} of the {many}",
                $"    \"\"\"Return the largest {field} of the {many}.\"\"\"\n    if not {many}:\n        return None\n    return "
                    + $"max({one}.{field} for {one} in {many})\n"
            ),
            3 => (
                $"def sort_{many}_by_{field}({many}):",
                $"sorts {many} by their {field}",
                $"    \"\"\"Return the {many} sorted by {field}.\"\"\"\n    return sorted({many}, key=lambda {one}: {one}.{field})\n"
            ),
            4 => (
                $"def average_{field}({many}):",
                $"returns the average {field} of the {many}",
                $"    \"\"\"Return the average {field} of the {many}.\"\"\"\n    if not {many}:\n        return 0\n    total = 0\n    "
                    + $"for {one} in {many}:\n        total += {one}.{field}\n    return total / len({many})\n"
            ),
            5 => (
                $"def filter_{many}({many}, limit):",
                $"keeps the {many} with {A(field)} below a limit",
                $"    \"\"\"Return the {many} with {A(field)} below the limit.\"\"\"\n    result = []\n    for {one} in {many}:\n      "
                    + $"  if {one}.{field} < limit:\n            result.append({one})\n    return result\n"
            ),
            6 => (
                $"def group_{many}_by_{field}({many}):",
                $"groups {many} by their {field}",
                $"    \"\"\"Group the {many} by {field}.\"\"\"\n    groups = {{}}\n    for {one} in {many}:\n        "
                    + $"groups.setdefault({one}.{field}, []).append({one})\n    return groups\n"
            ),
            _ => (
                $"def find_{one}({many}, {field}):",
                $"finds the first {one} with a given {field}",
                $"    \"\"\"Return the first {one} with the given {field}.\"\"\"\n    for {one} in {many}:\n        if {one}.{field} "
                    + $"== {field}:\n            return {one}\n    return None\n"
            ),
        };
        if (!dice.OneIn(2))
        {
            return Document.Plain(Name, $"# Python: a function that {wish}.\n{signature}\n", body);
        }

        var question = dice.Pick(
            $"Write a Python function that {wish}.",
            $"Please give me a function in Python that {wish}.",
            $"I need Python code. The function {wish}."
        );
        return Document.Chat(Name, question, $"{signature}\n{body}");
    }
}
