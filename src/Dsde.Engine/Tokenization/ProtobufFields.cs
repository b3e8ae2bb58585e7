namespace Dsde.Engine.Tokenization;

/// <summary>Reads the fields of a protobuf message in order: as much of the format as a SentencePiece model needs.</summary>
internal static class ProtobufFields
{
    private const int LongestVarint = 10;

    /// <exception cref="InvalidDataException">The message is broken.</exception>
    public static IEnumerable<ProtobufField> Read(ReadOnlyMemory<byte> message)
    {
        for (var rest = message; rest.Length > 0; )
        {
            var tag = Varint(ref rest);
            var number = (int)Math.Min(tag >> 3, int.MaxValue);
            switch (tag & 7)
            {
                case 0:
                    yield return new ProtobufField(number, Varint(ref rest), default);
                    break;
                case 1:
                    yield return new ProtobufField(number, 0, Take(ref rest, 8));
                    break;
                case 2:
                    yield return new ProtobufField(number, 0, Take(ref rest, Varint(ref rest)));
                    break;
                case 5:
                    yield return new ProtobufField(number, 0, Take(ref rest, 4));
                    break;
                default:
                    throw new InvalidDataException($"Field {number} is of an unknown wire type.");
            }
        }
    }

    private static ulong Varint(ref ReadOnlyMemory<byte> rest)
    {
        var value = 0ul;
        for (var i = 0; i < LongestVarint && i < rest.Length; i++)
        {
            value |= (ulong)(rest.Span[i] & 0x7F) << (7 * i);
            if (rest.Span[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return value;
            }
        }

        throw new InvalidDataException("A number has no end.");
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> rest, ulong length)
    {
        if (length > (ulong)rest.Length)
        {
            throw new InvalidDataException("The message ends inside a field.");
        }

        var taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }
}
