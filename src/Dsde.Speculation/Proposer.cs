namespace Dsde.Speculation;

/// <summary>Where proposals come from; how many is the policy's to say.</summary>
public enum Proposer
{
    /// <summary>The draft model.</summary>
    Draft,

    /// <summary>
    /// Prompt lookup: what stood behind an earlier occurrence of the last tokens in the sequence's own prompt and output. Needs no draft
    /// model.
    /// </summary>
    Lookup,

    /// <summary>Lookup where it finds something that promises more than the draft would, the draft elsewhere.</summary>
    Both,
}
