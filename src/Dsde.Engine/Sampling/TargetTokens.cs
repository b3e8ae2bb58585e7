using static TorchSharp.torch;

namespace Dsde.Engine.Sampling;

/// <summary>The target's own token at each of some rows and what is recorded of it, as part of a <see cref="HostTransfer"/>.</summary>
internal sealed class TargetTokens
{
    private readonly HostTransfer _transfer;
    private readonly Range _tokenIds,
        _normalizers,
        _logProbabilities,
        _margins,
        _mostProbableIds,
        _mostProbableLogProbabilities;
    private readonly int _mostProbableCount;

    /// <param name="transfer">To be transferred before anything is asked for.</param>
    /// <param name="logits">The target's raw logits. <c>[n, V] f32</c></param>
    /// <param name="normalizer">Of the logits. <c>[n, 1] f32</c></param>
    /// <param name="scores">Of the same rows.</param>
    /// <param name="tokenIds"><c>[n] i64</c></param>
    /// <param name="mostProbableCount">Most probable tokens wanted at each row; 0 for none.</param>
    public TargetTokens(
        HostTransfer transfer,
        Tensor logits,
        Tensor normalizer,
        in TokenScores scores,
        Tensor tokenIds,
        int mostProbableCount
    )
    {
        _transfer = transfer;
        _tokenIds = transfer.Add(tokenIds);
        _normalizers = transfer.Add(normalizer.squeeze(1));
        _logProbabilities = transfer.Add(TokenMeasures.LogProbability(logits, normalizer, null, tokenIds));
        _margins = transfer.Add(scores.Margin());
        _mostProbableCount = (int)Math.Min(mostProbableCount, logits.shape[1]);
        if (_mostProbableCount > 0)
        {
            var (ids, logProbabilities) = TokenMeasures.MostProbable(logits, normalizer, _mostProbableCount);
            _mostProbableIds = transfer.Add(ids.flatten());
            _mostProbableLogProbabilities = transfer.Add(logProbabilities.flatten());
        }
    }

    /// <summary>
    /// Whether the logits of a row are numbers, −∞ for masked tokens aside, and so is what is recorded there. If not, its token means
    /// nothing: comparisons with NaN are false, so that the first or the last of the vocabulary wins.
    /// </summary>
    public bool IsNumber(int row) =>
        float.IsFinite(_transfer[_normalizers][row])
        && float.IsFinite(_transfer[_logProbabilities][row])
        && float.IsFinite(_transfer[_margins][row]);

    /// <summary>The token at a row.</summary>
    public int TokenId(int row) => (int)_transfer[_tokenIds][row];

    /// <summary>The token at a row and what is recorded. <paramref name="wanted"/>: most probable tokens asked for there.</summary>
    public CommittedToken At(int row, sbyte draftMatch, int wanted)
    {
        var mostProbable = wanted == 0 ? [] : new TokenLogProbability[Math.Min(wanted, _mostProbableCount)];
        for (var i = 0; i < mostProbable.Length; i++)
        {
            var cell = (row * _mostProbableCount) + i;
            mostProbable[i] = new TokenLogProbability(
                (int)_transfer[_mostProbableIds][cell],
                _transfer[_mostProbableLogProbabilities][cell]
            );
        }

        return new CommittedToken(TokenId(row), _transfer[_logProbabilities][row], _transfer[_margins][row], draftMatch, mostProbable);
    }
}
