namespace Dsde.Speculation;

/// <summary>
/// Ends single sequences' drafting before their planned length, from what the draft says on the way. Costs a transfer to the host per draft
/// step, which is cheap on the CPU and makes a GPU wait. It may look at the draft only, never at random draws: acceptance stays lossless.
/// </summary>
public interface IEarlyStopping
{
    /// <summary>Decides after a draft step which sequences take part in the next one.</summary>
    /// <param name="step">The step.</param>
    /// <param name="goesOn">True for each sequence at first; to be set false where drafting stops. <c>[n]</c></param>
    void Decide(in DraftedStep step, Span<bool> goesOn);
}
