using Dsde.Speculation;

namespace Dsde.Engine.Tests.Batching;

/// <summary>Lengths as a test wants them, by the number of plans made so far.</summary>
internal sealed class ScriptedPolicy(Func<int, int> lengthOf) : ISpeculationPolicy
{
    private int _plans;

    public string Name => "scripted";

    public bool Speculates => true;

    public int LengthWithoutSignal => lengthOf(0);

    public bool IsGuarded => false;

    public IEarlyStopping? EarlyStopping => null;

    public ISequencePolicyState CreateState(float temperature) => new Nothing();

    public void Plan(ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans) =>
        plans[..states.Length].Fill(new SpeculationPlan(lengthOf(_plans++)));

    private sealed class Nothing : ISequencePolicyState
    {
        public int? CalibrationMaxAccepted => null;

        public int? CalibrationMaxLength => null;

        public void Observe(in VerifiedStep step) { }
    }
}
