using System.Text.Json;

namespace Dsde.Analytics.Exporting;

/// <summary>Where an export has got to.</summary>
/// <param name="Format">The files' format.</param>
/// <param name="Filter">What is exported, in words: another export needs another folder.</param>
/// <param name="Jobs">The last job that was exported; null before the first.</param>
/// <param name="Outputs">The last output whose rows were exported; null before the first.</param>
internal sealed record Watermark(string Format, string Filter, ExportPlace? Jobs, ExportPlace? Outputs)
{
    private const string Name = "watermark.json";
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Reads that of a folder; null where there is none.</summary>
    /// <exception cref="AnalyticsException">It can't be read.</exception>
    public static async Task<Watermark?> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            await using var stream = File.OpenRead(path);
            return await JsonSerializer.DeserializeAsync<Watermark>(stream, Options, cancellationToken);
        }
        catch (JsonException exception)
        {
            throw new AnalyticsException($"{path} is damaged: {exception.Message} Export into another folder.");
        }
    }

    /// <summary>Writes it, whole or not at all.</summary>
    public async Task WriteAsync(string folder, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, Name);
        await File.WriteAllTextAsync(path + ".new", JsonSerializer.Serialize(this, Options), cancellationToken);
        File.Move(path + ".new", path, overwrite: true);
    }
}

/// <summary>A row, by the order in which rows are read.</summary>
/// <param name="At">When it was stored.</param>
/// <param name="JobId">Its job.</param>
/// <param name="Choice">Which of the job's outputs; 0 of jobs.</param>
internal readonly record struct ExportPlace(DateTimeOffset At, Guid JobId, int Choice);
