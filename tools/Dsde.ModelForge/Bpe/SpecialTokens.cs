namespace Dsde.ModelForge.Bpe;

/// <summary>The vocabulary's first ids.</summary>
internal static class SpecialTokens
{
    public const int TextEnd = 0;
    public const int TurnStart = 1;
    public const int TurnEnd = 2;
    public const int Padding = 3;

    /// <summary>Their texts, by id.</summary>
    public static readonly string[] Texts = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"];
}
