namespace Dsde.Batches.Files;

/// <summary>Ends the reading of one line; never leaves <see cref="BatchFileReader"/>.</summary>
internal sealed class LineFormatException(LineError error) : Exception(error.Message)
{
    public LineError Error { get; } = error;
}
