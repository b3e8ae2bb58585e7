namespace Dsde.Persistence.Views;

/// <summary>What was decisive for a speculation length, in words.</summary>
internal static class LengthDeciders
{
    private static readonly string[] Words = ["policy", "guard", "holdout", "catchup"];

    /// <summary>An expression that has the word for a number.</summary>
    public static string ToSql(string number) =>
        $"CASE {number} {string.Join(' ', Words.Select((word, index) => $"WHEN {index} THEN '{word}'"))} END";
}
