namespace Dsde.Engine.Tokenization;

/// <summary>When a word boundary is put before text, so that words read the same at the beginning as behind a space.</summary>
internal enum PrefixRule
{
    /// <summary>Never (Gemma).</summary>
    Never,

    /// <summary>Before every segment (Llama 2: <c>Prepend</c>, or SentencePiece's dummy prefix).</summary>
    Always,

    /// <summary>Before the first segment only.</summary>
    First,

    /// <summary>Before every segment that does not begin with a space.</summary>
    AlwaysUnlessSpace,

    /// <summary>Before the first segment, if it does not begin with a space (Mistral: <c>Metaspace</c>).</summary>
    FirstUnlessSpace,
}
