using System.Text;
using Dsde.Batches.Files;
using Dsde.Contracts;

namespace Dsde.Batches.Tests.Files;

/// <summary>Lines of job files, and reading them back.</summary>
internal static class JobLines
{
    public static readonly Guid BatchId = new("6f9619ff-8b86-d011-b42d-00c04fc964ff");

    public static string Completion(string fields = "", string customId = "a") =>
        $$"""{"custom_id":"{{customId}}","method":"POST","url":"/v1/completions","body":{"model":"demo","prompt":"""
        + $"\"Once\"{Tail(fields)}}}}}";

    public static string Chat(string fields = "", string customId = "a") =>
        $$"""{"custom_id":"{{customId}}","url":"/v1/chat/completions","body":{"model":"demo","messages":"""
        + $$"""[{"role":"user","content":"Hi"}]{{Tail(fields)}}"""
        + "}}";

    public static Task<List<BatchFileLine>> ReadAsync(params string[] lines) => ReadAsync(new BatchDefaults { BatchId = BatchId }, lines);

    public static async Task<List<BatchFileLine>> ReadAsync(BatchDefaults defaults, params string[] lines)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        return await ReadAsync(stream, defaults);
    }

    public static async Task<List<BatchFileLine>> ReadAsync(Stream stream, BatchDefaults defaults) =>
        await BatchFileReader
            .ReadAsync(stream, defaults, TestContext.Current.CancellationToken)
            .ToListAsync(TestContext.Current.CancellationToken);

    public static async Task<SubmitGenerationJob> ReadJobAsync(string line)
    {
        var read = (await ReadAsync(line)).ShouldHaveSingleItem();
        read.Error.ShouldBeNull();
        return read.Job.ShouldNotBeNull();
    }

    public static async Task<LineError> ReadErrorAsync(string line)
    {
        var read = (await ReadAsync(line)).ShouldHaveSingleItem();
        read.Job.ShouldBeNull();
        return read.Error.ShouldNotBeNull();
    }

    private static string Tail(string fields) => fields.Length == 0 ? "" : "," + fields;
}
