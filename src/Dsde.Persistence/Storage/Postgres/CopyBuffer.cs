using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dsde.Persistence.Storage.Postgres;

/// <summary>
/// Rows in PostgreSQL's binary COPY format. Written here because most of a job's bytes are its series, which a loop writes many times
/// faster than value by value.
/// </summary>
internal sealed class CopyBuffer : IDisposable
{
    private const int BooleanOid = 16;
    private const int SmallIntOid = 21;
    private const int IntegerOid = 23;
    private const int RealOid = 700;

    private static readonly DateTimeOffset PostgresEpoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Signature, no flags, no extension.
    private static readonly byte[] Header = [.. "PGCOPY\n"u8, 0xFF, 0x0D, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(1 << 16);
    private int _length;

    public CopyBuffer() => Header.CopyTo(Take(Header.Length));

    /// <summary>What has been written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public void StartRow(int fields) => BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), (short)fields);

    /// <summary>Behind the last row.</summary>
    public void End() => BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), -1);

    public void WriteNull() => BinaryPrimitives.WriteInt32BigEndian(Take(sizeof(int)), -1);

    public void Write(Guid value) => value.TryWriteBytes(Field(16), bigEndian: true, out _);

    public void Write(bool value) => Field(sizeof(byte))[0] = value ? (byte)1 : (byte)0;

    public void Write(int value) => BinaryPrimitives.WriteInt32BigEndian(Field(sizeof(int)), value);

    public void Write(long value) => BinaryPrimitives.WriteInt64BigEndian(Field(sizeof(long)), value);

    public void Write(float value) => BinaryPrimitives.WriteSingleBigEndian(Field(sizeof(float)), value);

    public void Write(double value) => BinaryPrimitives.WriteDoubleBigEndian(Field(sizeof(double)), value);

    public void Write(DateTimeOffset value) => Write((value - PostgresEpoch).Ticks / TimeSpan.TicksPerMicrosecond);

    public void Write(string? value)
    {
        if (value is null)
        {
            WriteNull();
        }
        else
        {
            Encoding.UTF8.GetBytes(value, Field(Encoding.UTF8.GetByteCount(value)));
        }
    }

    public void Write(Guid? value)
    {
        if (value is { } known)
        {
            Write(known);
        }
        else
        {
            WriteNull();
        }
    }

    public void Write(double? value)
    {
        if (value is { } known)
        {
            Write(known);
        }
        else
        {
            WriteNull();
        }
    }

    public void Write(int? value)
    {
        if (value is { } known)
        {
            Write(known);
        }
        else
        {
            WriteNull();
        }
    }

    public void Write(float? value)
    {
        if (value is { } known)
        {
            Write(known);
        }
        else
        {
            WriteNull();
        }
    }

    public void Write(int[]? values)
    {
        if (values is null)
        {
            WriteNull();
            return;
        }

        var target = Array(values.Length, IntegerOid, sizeof(int));
        foreach (var value in values)
        {
            BinaryPrimitives.WriteInt32BigEndian(target, sizeof(int));
            BinaryPrimitives.WriteInt32BigEndian(target[sizeof(int)..], value);
            target = target[(2 * sizeof(int))..];
        }
    }

    public void Write(float[]? values)
    {
        if (values is null)
        {
            WriteNull();
            return;
        }

        var target = Array(values.Length, RealOid, sizeof(float));
        foreach (var value in values)
        {
            BinaryPrimitives.WriteInt32BigEndian(target, sizeof(float));
            BinaryPrimitives.WriteSingleBigEndian(target[sizeof(int)..], value);
            target = target[(sizeof(int) + sizeof(float))..];
        }
    }

    public void Write(float?[]? values)
    {
        if (values is null)
        {
            WriteNull();
            return;
        }

        var nulls = values.Count(value => value is null);
        var target = Array(values.Length, RealOid, sizeof(float), nulls);
        foreach (var value in values)
        {
            BinaryPrimitives.WriteInt32BigEndian(target, value is null ? -1 : sizeof(float));
            target = target[sizeof(int)..];
            if (value is { } known)
            {
                BinaryPrimitives.WriteSingleBigEndian(target, known);
                target = target[sizeof(float)..];
            }
        }
    }

    public void Write(short[]? values)
    {
        if (values is null)
        {
            WriteNull();
            return;
        }

        var target = Array(values.Length, SmallIntOid, sizeof(short));
        foreach (var value in values)
        {
            BinaryPrimitives.WriteInt32BigEndian(target, sizeof(short));
            BinaryPrimitives.WriteInt16BigEndian(target[sizeof(int)..], value);
            target = target[(sizeof(int) + sizeof(short))..];
        }
    }

    public void Write(bool[]? values)
    {
        if (values is null)
        {
            WriteNull();
            return;
        }

        var target = Array(values.Length, BooleanOid, sizeof(bool));
        foreach (var value in values)
        {
            BinaryPrimitives.WriteInt32BigEndian(target, sizeof(bool));
            target[sizeof(int)] = value ? (byte)1 : (byte)0;
            target = target[(sizeof(int) + sizeof(bool))..];
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_bytes);

    /// <summary>
    /// Begins a field that is an array: number of dimensions, whether there are nulls, type; of the dimension its size and first index.
    /// Gives the place of the elements.
    /// </summary>
    private Span<byte> Array(int count, int oid, int size, int nulls = 0)
    {
        var head = count == 0 ? 3 * sizeof(int) : 5 * sizeof(int);
        var field = Field(head + (count * sizeof(int)) + ((count - nulls) * size));
        BinaryPrimitives.WriteInt32BigEndian(field, count == 0 ? 0 : 1);
        BinaryPrimitives.WriteInt32BigEndian(field[sizeof(int)..], nulls == 0 ? 0 : 1);
        BinaryPrimitives.WriteInt32BigEndian(field[(2 * sizeof(int))..], oid);
        if (count > 0)
        {
            BinaryPrimitives.WriteInt32BigEndian(field[(3 * sizeof(int))..], count);
            BinaryPrimitives.WriteInt32BigEndian(field[(4 * sizeof(int))..], 1);
        }

        return field[head..];
    }

    private Span<byte> Field(int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(Take(sizeof(int)), length);
        return Take(length);
    }

    private Span<byte> Take(int length)
    {
        if (_bytes.Length - _length < length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _bytes.Length, _length + length));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        _length += length;
        return _bytes.AsSpan(_length - length, length);
    }
}
