namespace Dsde.Persistence.Views;

/// <summary>What was decisive for a speculation length, in words.</summary>
internal static class LengthDeciders
{
    /// <summary>The words, in the order of the numbers in <c>iteration_decided_by</c>.</summary>
    public static readonly IReadOnlyList<string> Words = ["policy", "guard", "holdout", "catchup"];

    /// <summary>An expression that has the word for a number.</summary>
    public static string ToSql(string number) =>
        $"CASE {number} {string.Join(' ', Words.Select((word, index) => $"WHEN {index} THEN '{word}'"))} END";
}
