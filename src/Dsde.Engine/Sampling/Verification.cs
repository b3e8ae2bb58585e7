using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>
/// Judges proposals over ragged rows without looking at any result. Rows of all modes may be mixed.
/// Legend: R verified rows, P proposals, V vocabulary.
/// </summary>
/// <param name="Accepted">Whether each proposal passes the test, whatever becomes of those before it. <c>[P] bool</c></param>
/// <param name="ExtraTokenIds">The target's own token at each row, used if the row's proposal is the first to be rejected, or has none.
/// <c>[R] i64</c></param>
internal readonly record struct Verification(Tensor Accepted, Tensor ExtraTokenIds)
{
    /// <summary>Weight of the target's distribution in the residual one: nothing, unless rounding has left the residual empty.</summary>
    private const float EmptyResidualWeight = 1e-30f;

    /// <summary>Greedy and coupled rows: accept what equals the target's own choice (coupled: Daliri et al. 2024).</summary>
    /// <param name="best">The target's choice at each row. <c>[R] i64</c></param>
    /// <param name="proposedIds"><c>[P] i64</c></param>
    /// <param name="proposedRows">The row that judges each proposal. <c>[P] i64</c></param>
    public static Verification Matching(Tensor best, Tensor proposedIds, Tensor proposedRows)
    {
        using var scope = NewDisposeScope();
        return new Verification(
            (best.index_select(0, proposedRows) == proposedIds).MoveToOuterDisposeScope(),
            best.alias().MoveToOuterDisposeScope()
        );
    }

    /// <summary>
    /// Speculative sampling (Leviathan et al. 2023, algorithm 1; Chen et al. 2023, algorithm 2): accept proposal x if u·q(x) &lt; p(x); the
    /// extra token of a row comes from max(0, p − q), where q is 0 in rows without a proposal. A proposal that was not drawn is one of
    /// q(x) = 1: it is accepted with the chance p(x), and the extra token comes from p without it.
    /// </summary>
    /// <param name="target">p at each row. <c>[R, V] f32</c></param>
    /// <param name="draft">q at each proposal that was drawn, which are the first: the tensor it was drawn from. <c>[D, V] f32</c>; null if
    /// none was.</param>
    /// <param name="proposedIds"><c>[P] i64</c></param>
    /// <param name="proposedRows">The row that judges each proposal. <c>[P] i64</c></param>
    /// <param name="acceptUniforms"><c>[P] f32</c></param>
    /// <param name="extraUniforms"><c>[R] f32</c></param>
    public static Verification Rejection(
        Tensor target,
        Tensor? draft,
        Tensor proposedIds,
        Tensor proposedRows,
        Tensor acceptUniforms,
        Tensor extraUniforms
    )
    {
        using var scope = NewDisposeScope();
        var ids = proposedIds.unsqueeze(1);
        var p = target.index_select(0, proposedRows).gather(1, ids).squeeze(1);
        var drawn = draft?.shape[0] ?? 0;
        var certain = proposedIds.shape[0] - drawn;
        Tensor[] q =
        [
            .. draft is null ? [] : (Tensor[])[draft.gather(1, ids.narrow(0, 0, drawn)).squeeze(1)],
            .. certain == 0 ? [] : (Tensor[])[ones(certain, device: target.device)],
        ];
        var accepted = acceptUniforms * cat(q) < p;
        var residual = draft is null
            ? target.clone()
            : target.index_add(0, proposedRows.narrow(0, 0, drawn), draft, Scalars.Of(-1)).clamp_(min: Scalars.Of(0));
        if (certain > 0)
        {
            var places = proposedRows
                .narrow(0, drawn, certain)
                .mul(Scalars.Of(target.shape[1]))
                .Plus(proposedIds.narrow(0, drawn, certain));
            residual = residual.contiguous().view(-1).index_fill_(0, places, Scalars.Of(0)).view(target.shape);
        }

        residual.add_(target, Scalars.Of(EmptyResidualWeight));
        return new Verification(accepted.MoveToOuterDisposeScope(), Distributions.Draw(residual, extraUniforms).MoveToOuterDisposeScope());
    }

    /// <summary>The judgement of rejection rows from this, of the others from another.</summary>
    /// <param name="rejection">Which rows are in rejection mode; null if all are. <c>[R, 1] bool</c></param>
    /// <param name="others">Judgement of greedy and coupled rows.</param>
    /// <param name="proposedRows"><c>[P] i64</c></param>
    public Verification WhereElse(Tensor? rejection, Verification others, Tensor proposedRows)
    {
        if (rejection is null)
        {
            return this;
        }

        using var scope = NewDisposeScope();
        var rows = rejection.squeeze(1);
        return new Verification(
            where(rows.index_select(0, proposedRows), Accepted, others.Accepted).MoveToOuterDisposeScope(),
            where(rows, ExtraTokenIds, others.ExtraTokenIds).MoveToOuterDisposeScope()
        );
    }
}
