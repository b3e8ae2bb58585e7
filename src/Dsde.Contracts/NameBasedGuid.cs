using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Dsde.Contracts;

/// <summary>UUIDs of version 5 (RFC 9562): the same namespace and name always give the same id.</summary>
public static class NameBasedGuid
{
    private const int GuidBytes = 16;

    /// <summary>The id of a name.</summary>
    /// <param name="space">The namespace: the id of what the name belongs to.</param>
    /// <param name="name">Any text; its UTF-8 bytes count.</param>
    public static Guid Create(Guid space, string name)
    {
        var nameLength = Encoding.UTF8.GetByteCount(name);
        Span<byte> input = stackalloc byte[GuidBytes + 512];
        input = GuidBytes + nameLength <= input.Length ? input[..(GuidBytes + nameLength)] : new byte[GuidBytes + nameLength];
        space.TryWriteBytes(input, bigEndian: true, out _);
        Encoding.UTF8.GetBytes(name, input[GuidBytes..]);

        // The standard says SHA-1; nothing here depends on it being hard to forge.
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350
        SHA1.HashData(input, hash);
#pragma warning restore CA5350
        var version = BinaryPrimitives.ReadUInt16BigEndian(hash[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(hash[6..], (ushort)((version & 0x0FFF) | 0x5000));
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..GuidBytes], bigEndian: true);
    }
}
