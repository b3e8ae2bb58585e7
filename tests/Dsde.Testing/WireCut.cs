namespace Dsde.Testing;

/// <summary>Where a <see cref="Wire"/> is cut.</summary>
public enum WireCut
{
    /// <summary>Nowhere.</summary>
    No,

    /// <summary>Before the message is passed on: the receiver never gets it.</summary>
    Before,

    /// <summary>After it: the receiver gets it, and can't answer.</summary>
    After,

    /// <summary>
    /// Not cut: from this message on the connection stays open and passes nothing more, as if one of the two were stopped.
    /// </summary>
    Hold,
}
