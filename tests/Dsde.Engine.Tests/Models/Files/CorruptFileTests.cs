using System.Buffers.Binary;
using Dsde.Engine.Models;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Models.Files;

/// <summary>
/// Whatever becomes of a file on its way, loading ends with a message that names the folder or, where the file still makes sense, with a
/// model: never with another exception, never with the process.
/// </summary>
public sealed class CorruptFileTests : IDisposable
{
    private const string Config = "config.json";
    private const string GenerationConfig = "generation_config.json";
    private const string Weights = "model.safetensors";
    private const string Index = "model.safetensors.index.json";

    private readonly ScratchFolder _folder = new("corrupt");

    private static ReadOnlySpan<byte> Disturbing => "\"\\{}[]:,0-9eEu\0\u007F. "u8;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TestFamily.Llama, Config)]
    [InlineData(TestFamily.Qwen2, Config)]
    [InlineData(TestFamily.Gemma2, Config)]
    [InlineData(TestFamily.Llama, GenerationConfig)]
    [InlineData(TestFamily.Llama, Weights)]
    [InlineData(TestFamily.Llama, Index)]
    public void A_turned_bit_is_refused_or_harmless(TestFamily family, string file)
    {
        var intact = Write(family, file);
        var end = file == Weights ? HeaderEnd(intact) : intact.Length;
        var random = new Random(11);
        var refused = 0;
        for (var i = 0; i < 200; i++)
        {
            var broken = (byte[])intact.Clone();
            broken[i < 64 ? i / 8 : random.Next(end)] ^= (byte)(1 << (i % 8));
            refused += IsRefused(file, broken) ? 1 : 0;
        }

        // Most of a configuration's bits are in names that may as well be absent, and in numbers that fit, too.
        refused.ShouldBeInRange(file == Weights ? 180 : 20, 200);
    }

    [Theory]
    [InlineData(Config)]
    [InlineData(Weights)]
    [InlineData(Index)]
    public void Several_bytes_that_became_others_are_refused_or_harmless(string file)
    {
        var intact = Write(TestFamily.Llama, file);
        var end = file == Weights ? HeaderEnd(intact) : intact.Length;
        var random = new Random(12);
        var refused = 0;
        for (var i = 0; i < 100; i++)
        {
            var broken = (byte[])intact.Clone();
            for (var change = 0; change < 4; change++)
            {
                broken[random.Next(8, end)] = Disturbing[random.Next(Disturbing.Length)];
            }

            refused += IsRefused(file, broken) ? 1 : 0;
        }

        refused.ShouldBeGreaterThan(50);
    }

    [Theory]
    [InlineData(Config)]
    [InlineData(Weights)]
    [InlineData(Index)]
    public void A_file_that_ends_early_is_refused(string file)
    {
        var intact = Write(TestFamily.Llama, file);
        var random = new Random(13);
        for (var i = 0; i < 100; i++)
        {
            IsRefused(file, intact[..random.Next(intact.Length)]).ShouldBeTrue();
        }
    }

    private static int HeaderEnd(byte[] weights) => 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(weights);

    private byte[] Write(TestFamily family, string file)
    {
        TestModelFolder.Write(
            _folder.Path,
            new TestModelShape
            {
                Family = family,
                Shards = file == Index ? 2 : 1,
                SlidingWindow = family == TestFamily.Llama ? null : 7,
                RopeScaling = family == TestFamily.Llama ? new TestRopeScaling("llama3", 8, 1, 4, 64) : null,
            }
        );
        return File.ReadAllBytes(_folder.PathOf(file));
    }

    private bool IsRefused(string file, byte[] content)
    {
        File.WriteAllBytes(_folder.PathOf(file), content);
        try
        {
            DecoderUnderTest.LoadWritten(_folder.Path).Dispose();
            return false;
        }
        catch (ModelLoadException exception)
        {
            exception.Message.ShouldContain(_folder.Path);
            return true;
        }
    }
}
