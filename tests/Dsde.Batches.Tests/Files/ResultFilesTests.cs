using Dsde.Batches.Files;
using Dsde.Batches.Tests.Reporting;
using Dsde.Contracts;

namespace Dsde.Batches.Tests.Files;

public sealed class ResultFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dsde-results").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Results_whose_text_is_not_stored_are_counted_and_explained()
    {
        var line = (await JobLines.ReadAsync([JobLines.Completion(customId: "a")])).ShouldHaveSingleItem();

        var written = await new ResultFiles(_folder, new Ends(line.JobId)).WriteAsync(
            new[] { line }.ToAsyncEnumerable(),
            TestContext.Current.CancellationToken
        );

        written.ResultCount.ShouldBe(1);
        written.MissingTexts.ShouldNotBeNull().ShouldContain("1 of the results have no text");
    }

    private sealed class Ends(Guid jobId) : IJobEnds
    {
        public Task<IReadOnlyDictionary<Guid, object>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<Guid, object>>(
                new Dictionary<Guid, object> { [jobId] = Reporting.Ends.Completed() with { JobId = jobId, Text = null } }
            );
    }
}
