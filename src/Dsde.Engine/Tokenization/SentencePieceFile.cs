using System.Buffers.Binary;
using System.Text;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Tokenization;

/// <summary>Kinds of pieces, by their number in the file.</summary>
internal enum PieceKind
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>What a SentencePiece <c>tokenizer.model</c> says; defaults are those of its schema (sentencepiece_model.proto).</summary>
internal sealed record SentencePieceFile
{
    public const string FileName = "tokenizer.model";

    /// <summary>The file, for messages.</summary>
    public required string Path { get; init; }

    /// <summary>Pieces by id.</summary>
    public List<(string Text, float Score, PieceKind Kind)> Pieces { get; } = [];

    /// <summary>1 unigram, 2 BPE, 3 words, 4 characters.</summary>
    public int ModelType { get; private set; } = 1;

    public bool HasByteFallback { get; private set; }

    public bool PutsBoundaryBehind { get; private set; }

    /// <summary>Id of the beginning-of-text token; negative without one.</summary>
    public int BosId { get; private set; } = 1;

    /// <summary>Whether the file has rules that map characters to others (NFKC).</summary>
    public bool MapsCharacters { get; private set; }

    public bool AddsDummyPrefix { get; private set; } = true;

    public bool RemovesExtraSpaces { get; private set; } = true;

    public bool EscapesSpaces { get; private set; } = true;

    /// <exception cref="InvalidDataException">The file is not a SentencePiece model.</exception>
    /// <exception cref="ModelLoadException">The file can't be read.</exception>
    public static SentencePieceFile Read(string path)
    {
        var model = new SentencePieceFile { Path = path };
        foreach (var field in ProtobufFields.Read(ModelFile.ReadAllBytes(path)))
        {
            model.Add(field);
        }

        return model.Pieces.Count > 0 ? model : throw new InvalidDataException("It has no pieces.");
    }

    private void Add(ProtobufField field)
    {
        switch (field.Number)
        {
            case 1:
                Pieces.Add(ReadPiece(field.Bytes));
                break;
            case 2:
                foreach (var setting in ProtobufFields.Read(field.Bytes))
                {
                    AddTrainerSetting(setting);
                }

                break;
            case 3:
                foreach (var setting in ProtobufFields.Read(field.Bytes))
                {
                    AddNormalizerSetting(setting);
                }

                break;
        }
    }

    private static (string Text, float Score, PieceKind Kind) ReadPiece(ReadOnlyMemory<byte> bytes)
    {
        var (text, score, kind) = ("", 0f, PieceKind.Normal);
        foreach (var field in ProtobufFields.Read(bytes))
        {
            switch (field.Number)
            {
                case 1:
                    text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(field.Bytes.Span);
                    break;
                case 2:
                    score = BinaryPrimitives.ReadSingleLittleEndian(field.Bytes.Span);
                    break;
                case 3:
                    kind = Enum.IsDefined((PieceKind)field.Value)
                        ? (PieceKind)field.Value
                        : throw new InvalidDataException($"Piece '{text}' is of kind {field.Value}.");
                    break;
            }
        }

        return text.Length > 0 && float.IsFinite(score)
            ? (text, score, kind)
            : throw new InvalidDataException("A piece has no text or no finite score.");
    }

    private void AddTrainerSetting(ProtobufField setting)
    {
        switch (setting.Number)
        {
            case 3:
                ModelType = (int)setting.Value;
                break;
            case 24:
                PutsBoundaryBehind = setting.Value != 0;
                break;
            case 35:
                HasByteFallback = setting.Value != 0;
                break;
            case 41:
                BosId = (int)setting.Value;
                break;
        }
    }

    private void AddNormalizerSetting(ProtobufField setting)
    {
        switch (setting.Number)
        {
            case 2:
                MapsCharacters = setting.Bytes.Length > 0;
                break;
            case 3:
                AddsDummyPrefix = setting.Value != 0;
                break;
            case 4:
                RemovesExtraSpaces = setting.Value != 0;
                break;
            case 5:
                EscapesSpaces = setting.Value != 0;
                break;
        }
    }
}
