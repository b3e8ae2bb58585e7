using System.Text.Json;
using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Exporting;

/// <summary>Where an export has got to.</summary>
/// <param name="Format">The files' format.</param>
/// <param name="Filter">What is exported, in words: another export needs another folder.</param>
/// <param name="Jobs">The last job that was exported; null before the first.</param>
/// <param name="Outputs">The last output whose rows were exported; null before the first.</param>
internal sealed record Watermark(string Format, string Filter, TracePlace? Jobs, TracePlace? Outputs)
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
