using System.Text.Json;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Tokenization;

/// <summary>Finds and reads the tokenizer of a folder. What is not understood is refused, never guessed.</summary>
internal static class TokenizerReader
{
    /// <summary>Whether a folder has one.</summary>
    public static bool IsIn(string folder) =>
        ModelFile.Exists(Path.Combine(folder, TokenizerFile.FileName))
        || ModelFile.Exists(Path.Combine(folder, SentencePieceFile.FileName));

    /// <summary>Reads it.</summary>
    /// <exception cref="ModelLoadException">There is none, it is broken, or it asks for something that is not done.</exception>
    public static TokenizerDefinition Read(string folder)
    {
        var json = Path.Combine(folder, TokenizerFile.FileName);
        var pieces = Path.Combine(folder, SentencePieceFile.FileName);
        var readsPieces = !ModelFile.Exists(json) && ModelFile.Exists(pieces);
        var path = readsPieces ? pieces : json;
        var settings = Guard(Path.Combine(folder, TokenizerSettings.FileName), () => TokenizerSettings.Read(folder));
        return Guard(
            path,
            () =>
                readsPieces
                    ? SentencePieceTokenizerReader.Read(SentencePieceFile.Read(path), settings)
                    : TokenizerFile.Read(JsonSettings.Load(path), settings)
        );
    }

    /// <summary>Reads a file, and names it where it turns out to be built otherwise.</summary>
    /// <exception cref="ModelLoadException">The file is broken.</exception>
    public static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception)
            when (exception
                    is KeyNotFoundException
                        or InvalidOperationException
                        or FormatException
                        or ArgumentException
                        or IndexOutOfRangeException
                        or OverflowException
                        or InvalidDataException
                        or JsonException
            )
        {
            throw new ModelLoadException(
                $"{path} is not built as a {Path.GetFileName(path)} is: {exception.Message} Download it again.",
                exception
            );
        }
    }
}
