using Dsde.Engine;
using Dsde.Pipeline.Jobs.Ends;

namespace Dsde.Pipeline.Tests.Jobs;

public sealed class PackedTokensTests
{
    [Fact]
    public void Tokens_of_every_length_come_back_once_each_and_ids_without_a_token_are_left_out()
    {
        var vocabulary = new Vocabulary();
        int[] ids = [5, 0, 5, 63, 64, 127, 128, 8191, 8192, 16384, 150_001, 64];

        var tokens = PackedTokens.Unpack(PackedTokens.Pack(ids, vocabulary)).ToList();

        tokens.Select(token => token.TokenId).ShouldBe([5, 63, 64, 127, 128, 8191, 8192, 16384, 150_001]);
        foreach (var token in tokens)
        {
            token.Bytes.ShouldBe(vocabulary.BytesOf(token.TokenId).ToArray());
            token.IsSpecial.ShouldBe(vocabulary.IsSpecial(token.TokenId));
        }
    }

    /// <summary>A token is as long as its id says, and no valid text.</summary>
    private sealed class Vocabulary : IPromptEncoder
    {
        public int MaxTokenBytes => int.MaxValue;

        public ReadOnlySpan<byte> BytesOf(int tokenId) => Enumerable.Repeat((byte)0xE4, tokenId).ToArray();

        public bool IsSpecial(int tokenId) => int.IsOddInteger(tokenId);

        public IReadOnlyList<int> Encode(string prompt) => throw new NotSupportedException();

        public IReadOnlyList<int> EncodeChat(IReadOnlyList<ChatTurn> turns, ChatInputs? inputs = null) => throw new NotSupportedException();

        public string Decode(IReadOnlyList<int> tokenIds) => throw new NotSupportedException();
    }
}
