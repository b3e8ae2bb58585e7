using Dsde.Engine.Sampling;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Sampling;

public class VerificationTests
{
    /// <summary>
    /// Chi-square with 3 degrees of freedom exceeds 21.1 by chance once in 10,000 seeds; the draws are seeded, so the outcome is fixed.
    /// </summary>
    [Fact]
    public void Rejection_Draft_Differs_Tokens_Follow_The_Target()
    {
        using var scope = NewDisposeScope();
        const int draws = 20_000;
        float[] target = [0.5f, 0.3f, 0.2f, 0f],
            draft = [0.1f, 0.2f, 0.3f, 0.4f];
        var p = tensor(target).repeat(draws, 1);
        var q = tensor(draft).repeat(draws, 1);
        var rows = Scalars.Range(draws, CPU);
        var proposals = Distributions.Draw(q, Uniforms(CounterRandom.Purpose.Draft, draws));
        var verification = Verification.Rejection(
            p,
            q,
            proposals,
            rows,
            Uniforms(CounterRandom.Purpose.Accept, draws),
            Uniforms(CounterRandom.Purpose.Extra, draws)
        );

        var emitted = where(verification.Accepted, proposals, verification.ExtraTokenIds);
        var counts = emitted.bincount(null, 4).data<long>().ToArray();

        counts[3].ShouldBe(0);
        var chiSquare = Enumerable.Range(0, 3).Sum(token => Math.Pow(counts[token] - (draws * target[token]), 2) / (draws * target[token]));
        chiSquare.ShouldBeLessThan(21.1);
    }

    /// <summary>
    /// Proposals that were not drawn, one of them that the target never gives; besides, in the same rows, some that were. Bounds as above.
    /// </summary>
    [Fact]
    public void Rejection_Proposals_Without_A_Distribution_Tokens_Follow_The_Target()
    {
        using var scope = NewDisposeScope();
        const int draws = 20_000;
        float[] target = [0.5f, 0.3f, 0.2f, 0f],
            draft = [0.1f, 0.2f, 0.3f, 0.4f];
        var q = tensor(draft).repeat(draws, 1);
        var drawn = Distributions.Draw(q, Uniforms(CounterRandom.Purpose.Draft, draws));
        long[] certain = [1, 3, 0];
        var proposals = cat([drawn, .. certain.Select(id => full(draws, Scalars.Of(id), dtype: ScalarType.Int64))]);
        var count = draws * (1 + certain.Length);
        foreach (var isDrafted in (bool[])[true, false])
        {
            var first = isDrafted ? 0 : draws;
            var judged = proposals.narrow(0, first, count - first);
            var verification = Verification.Rejection(
                tensor(target).repeat(count - first, 1),
                isDrafted ? q : null,
                judged,
                Scalars.Range(count - first, CPU),
                Uniforms(CounterRandom.Purpose.Accept, count - first),
                Uniforms(CounterRandom.Purpose.Extra, count - first)
            );

            var emitted = where(verification.Accepted, judged, verification.ExtraTokenIds);
            for (var part = 0; part < count - first; part += draws)
            {
                var counts = emitted.narrow(0, part, draws).bincount(null, 4).data<long>().ToArray();
                counts[3].ShouldBe(0);
                var chiSquare = Enumerable
                    .Range(0, 3)
                    .Sum(token => Math.Pow(counts[token] - (draws * target[token]), 2) / (draws * target[token]));
                chiSquare.ShouldBeLessThan(21.1);
            }
        }
    }

    [Fact]
    public void Rejection_A_Certain_Proposal_That_The_Target_Is_Certain_Of_Is_Accepted_And_Leaves_The_Target_To_Draw_From()
    {
        using var scope = NewDisposeScope();
        var p = tensor([0f, 1f, 0f]).unsqueeze(0);

        var verification = Verification.Rejection(p, null, tensor([1L]), tensor([0L]), tensor([0.99f]), tensor([0.7f]));

        verification.Accepted[0].item<bool>().ShouldBeTrue();
        verification.ExtraTokenIds[0].item<long>().ShouldBe(1);
    }

    [Fact]
    public void Rejection_Draft_Equals_Target_Everything_Is_Accepted()
    {
        using var scope = NewDisposeScope();
        var p = tensor([0.25f, 0.5f, 0.125f, 0.125f]).repeat(1000, 1);
        var proposals = Distributions.Draw(p, Uniforms(CounterRandom.Purpose.Draft, 1000));

        var verification = Verification.Rejection(
            p,
            p,
            proposals,
            Scalars.Range(1000, CPU),
            Uniforms(CounterRandom.Purpose.Accept, 1000),
            Uniforms(CounterRandom.Purpose.Extra, 1000)
        );

        verification.Accepted.all().item<bool>().ShouldBeTrue();
    }

    [Fact]
    public void Rejection_Residual_Emptied_By_Rounding_Draws_From_The_Target()
    {
        using var scope = NewDisposeScope();
        var p = tensor([0.5f, 0.5f, 0f]).unsqueeze(0);
        var q = tensor([0.5f, 0.6f, 0f]).unsqueeze(0);

        var verification = Verification.Rejection(p, q, tensor([1L]), tensor([0L]), tensor([0.99f]), tensor([0.7f]));

        verification.Accepted[0].item<bool>().ShouldBeFalse();
        verification.ExtraTokenIds[0].item<long>().ShouldBe(1);
    }

    [Fact]
    public void WhereElse_Modes_Are_Mixed_Each_Row_Is_Judged_By_Its_Own()
    {
        using var scope = NewDisposeScope();
        var proposedRows = tensor([0L, 2L]); // the row between them is without a proposal
        var rejection = new Verification(tensor([true, true]), tensor([10L, 11L, 12L]));
        var matching = new Verification(tensor([false, false]), tensor([20L, 21L, 22L]));

        var mixed = rejection.WhereElse(tensor([true, true, false]).unsqueeze(1), matching, proposedRows);

        mixed.Accepted.data<bool>().ToArray().ShouldBe([true, false]);
        mixed.ExtraTokenIds.data<long>().ToArray().ShouldBe([10, 11, 22]);
    }

    [Fact]
    public void Uniform_Is_Inside_The_Open_Interval_And_Depends_On_Every_Part_Of_Its_Key()
    {
        var draws = Enumerable
            .Range(0, 100_000)
            .Select(position => CounterRandom.Uniform(7, CounterRandom.Purpose.Accept, 3, position))
            .ToArray();

        draws.Min().ShouldBeGreaterThan(0f);
        draws.Max().ShouldBeLessThan(1f);
        draws.Average(draw => (double)draw).ShouldBe(0.5, 0.01);
        var draw = CounterRandom.Uniform(7, CounterRandom.Purpose.Accept, 3, 5);
        CounterRandom.Uniform(8, CounterRandom.Purpose.Accept, 3, 5).ShouldNotBe(draw);
        CounterRandom.Uniform(7, CounterRandom.Purpose.Draft, 3, 5).ShouldNotBe(draw);
        CounterRandom.Uniform(7, CounterRandom.Purpose.Accept, 4, 5).ShouldNotBe(draw);
    }

    private static Tensor Uniforms(CounterRandom.Purpose purpose, int count) =>
        tensor(Enumerable.Range(0, count).Select(position => CounterRandom.Uniform(1, purpose, 0, position)).ToArray());
}
