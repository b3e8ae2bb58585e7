using System.Runtime.InteropServices;

namespace Dsde.Engine.Sampling;

/// <summary>How often each token stands in a sequence, kept up to date token by token; only for sequences with penalties.</summary>
internal sealed class TokenTally
{
    private readonly Dictionary<int, int> _counts = [];

    /// <summary>The tokens there are, and how often.</summary>
    public IReadOnlyDictionary<int, int> Counts => _counts;

    /// <summary>Takes in one occurrence.</summary>
    public void Add(int tokenId) => CollectionsMarshal.GetValueRefOrAddDefault(_counts, tokenId, out _)++;
}
