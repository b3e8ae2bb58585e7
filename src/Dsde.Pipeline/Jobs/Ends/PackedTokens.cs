using Dsde.Contracts;
using Dsde.Engine;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>
/// What tokens stand for, as the database keeps it: for each token its id, twice the number of its bytes plus one if it is special, and
/// the bytes; both numbers with 7 bits a byte, lowest first. docs/telemetry.md says so too.
/// </summary>
internal static class PackedTokens
{
    /// <summary>Each token once, however often it is given; ids without a token are left out.</summary>
    public static byte[] Pack(IEnumerable<int> tokenIds, IPromptEncoder vocabulary)
    {
        using var packed = new MemoryStream();
        using (var writer = new BinaryWriter(packed))
        {
            foreach (var id in tokenIds.Distinct())
            {
                if (vocabulary.BytesOf(id) is { IsEmpty: false } bytes)
                {
                    writer.Write7BitEncodedInt(id);
                    writer.Write7BitEncodedInt((bytes.Length << 1) | (vocabulary.IsSpecial(id) ? 1 : 0));
                    writer.Write(bytes);
                }
            }
        }

        return packed.ToArray();
    }

    /// <summary>In the order in which they were packed.</summary>
    public static IEnumerable<TokenBytes> Unpack(byte[] packed)
    {
        using var reader = new BinaryReader(new MemoryStream(packed));
        while (reader.BaseStream.Position < packed.Length)
        {
            var id = reader.Read7BitEncodedInt();
            var length = reader.Read7BitEncodedInt();
            yield return new TokenBytes
            {
                TokenId = id,
                Bytes = reader.ReadBytes(length >> 1),
                IsSpecial = (length & 1) != 0,
            };
        }
    }
}
