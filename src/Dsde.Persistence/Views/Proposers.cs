namespace Dsde.Persistence.Views;

/// <summary>Who proposed in an iteration, in words.</summary>
internal static class Proposers
{
    /// <summary>The words, in the order of the numbers in <c>iteration_proposed_by</c>; null for nobody.</summary>
    public static readonly IReadOnlyList<string?> Words = [null, "draft", "lookup"];

    /// <summary>An expression that has the word for a number.</summary>
    public static string ToSql(string number) =>
        $"CASE {number} {string.Join(' ', Words.Select((word, index) => word is null ? "" : $"WHEN {index} THEN '{word}'"))} END";
}
