using System.CommandLine;
using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;
using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Worker.Embedded;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde submit FILE</c>: a job file to the workers.</summary>
internal sealed class SubmitCommand : DsdeCommand
{
    private static readonly TimeSpan DatabaseCheckInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AttendanceCheckInterval = TimeSpan.FromSeconds(10);

    private readonly Argument<string> _file = FileArguments.CreateFile("Job file: JSON lines in the OpenAI batch format.");
    private readonly Option<bool> _wait = new("--wait") { Description = "Follow the batch to its end and write its results." };
    private readonly Option<string> _out = FileArguments.CreateOut(
        "With --wait: folder for results.jsonl and errors.jsonl (default: the current one)."
    );
    private readonly Option<Guid?> _batchId = new("--batch-id")
    {
        Description = "Id of the batch (default: a new one). The same file sent again under the same id is the same jobs.",
        HelpName = "UUID",
    };
    private readonly Option<string?> _model = new("--model")
    {
        Description = "Alias to send every job under, whatever its line names.",
        HelpName = "NAME",
    };
    private readonly Option<string?> _policy = new("--policy") { Description = "Policy of jobs that name none.", HelpName = "POLICY" };
    private readonly Option<long?> _seed = new("--seed")
    {
        Description = "Jobs without a seed get this one plus their line number.",
        HelpName = "N",
    };
    private readonly Option<int?> _limit = FileArguments.CreateLimit("Send the first N jobs only.");
    private readonly Option<int> _patience = Patience.CreateOption();

    public SubmitCommand()
        : base(
            "submit",
            "Send a job file to the workers, through RabbitMQ.",
            "dsde submit samples/mixed.jsonl --wait --out results/",
            "dsde submit jobs.jsonl --batch-id 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11"
        )
    {
        foreach (var symbol in (Option[])[_wait, _out, _batchId, _model, _policy, _seed, _limit, _patience])
        {
            Add(symbol);
        }

        Add(_file);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var batchId = arguments.GetValue(_batchId) ?? Guid.NewGuid();
        var file = new JobFile(
            arguments.GetRequiredValue(_file),
            arguments.GetValue(_limit),
            new BatchDefaults
            {
                BatchId = batchId,
                Model = arguments.GetValue(_model),
                Policy = arguments.GetValue(_policy),
                Seed = arguments.GetValue(_seed),
            }
        );
        var folder = arguments.GetRequiredValue(_out);
        file.RequireNotIn(folder);
        var (jobCount, errorCount) = await file.CountAsync(cancellationToken);
        var (output, error) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
        var patience = new Patience(TimeSpan.FromSeconds(arguments.GetValue(_patience)), TimeProvider.System, error);
        await using var client = await BatchClient.ConnectAsync(batchId, cancellationToken);
        var changed = await CompareAsync(client, file, jobCount, cancellationToken);
        await client.Store.RegisterBatchAsync(new NewBatch(batchId, jobCount, Path.GetFileName(file.Path)), cancellationToken);
        client.Follower.Expect(jobCount);
        var goOn = DescribeWayOn(arguments, batchId, file.Path);
        try
        {
            var lanes = await SendAsync(client, file, changed, cancellationToken);
            var attendance = new Attendance(client.RabbitMq, client.Store, Attendance.AliveWithin(new ProgramSettings().Worker()));
            await output.WriteLineAsync(
                $"batch {batchId}: {jobCount - changed.Conflicts.Count} jobs "
                    + $"sent{(errorCount > 0 ? $", {errorCount} lines are no jobs" : "")}"
            );
            if (changed.Conflicts.Count > 0)
            {
                await output.WriteLineAsync(
                    $"{changed.Conflicts.Count} lines were not sent: under their custom_id the batch has other requests (job_id_conflict)"
                );
            }

            if (!arguments.GetValue(_wait))
            {
                if (await attendance.TryDescribeLackAsync(lanes, cancellationToken) is { Length: > 0 } lack)
                {
                    await error.WriteLineAsync($"dsde: {lack}");
                }

                await output.WriteLineAsync(
                    $"follow it with: dsde status {batchId}, then: dsde results {batchId} {ResultArguments(arguments)}"
                );
                return errorCount + changed.Conflicts.Count == 0 ? ExitCodes.Success : ExitCodes.JobsFailed;
            }

            await new ProgressDisplay(Consoles.Create(arguments.InvocationConfiguration), output, TimeProvider.System).ShowAsync(
                FollowAsync(client, batchId, patience, token => attendance.TryDescribeLackAsync(lanes, token), error, cancellationToken),
                jobCount,
                client.Tally.Sample
            );
            var written = await patience.InsistAsync(() => WriteAsync(client, file, folder, cancellationToken), cancellationToken);
            return await SummarizeAsync(output, written, folder);
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync($"dsde: interrupted; what was sent goes on. {goOn}, call it off with: dsde cancel {batchId}");
            throw;
        }
        catch (Exception exception) when (ExpectedFailures.Describe(exception) is { } message)
        {
            throw new ExpectedFailureException($"{message}{Environment.NewLine}dsde: what was sent goes on. {goOn}", exception);
        }
    }

    /// <summary>A file sent again under the id of a batch has to be the file of that batch.</summary>
    private static async Task<ChangedLines> CompareAsync(
        BatchClient client,
        JobFile file,
        int jobCount,
        CancellationToken cancellationToken
    )
    {
        var batchId = file.Defaults.BatchId;
        if (await client.Store.FindBatchAsync(batchId, cancellationToken) is not { } known)
        {
            return new ChangedLines(0, new HashSet<Guid>());
        }

        if (known.JobCount is { } count && count != jobCount)
        {
            throw new ExpectedFailureException(
                $"Batch {batchId} was submitted before with {count} jobs, this file has {jobCount}. "
                    + "Leave --batch-id out to submit it as a batch of its own."
            );
        }

        var changed = await ChangedLines.FindAsync(file.ReadAsync(cancellationToken), new StoredJobs(client.Store), cancellationToken);
        return changed.KnownCount >= known.Running + known.Ended
            ? changed
            : throw new ExpectedFailureException(
                $"Batch {batchId} has at least {known.Running + known.Ended - changed.KnownCount} jobs whose custom_id is not in "
                    + $"{file.Path}: "
                    + "it was submitted from another file. Leave --batch-id out to submit this one as a batch of its own."
            );
    }

    /// <summary>Returns the lanes that it has sent by.</summary>
    private static async Task<IReadOnlyCollection<Lane>> SendAsync(
        BatchClient client,
        JobFile file,
        ChangedLines changed,
        CancellationToken cancellationToken
    )
    {
        var lanes = new HashSet<Lane>();
        await new JobFeeder(client.Bus, job => Lane.Of(job).RabbitMqAddress).SendAsync(
            file.ReadAsync(cancellationToken).Where(line => !changed.Conflicts.Contains(line.JobId)),
            window: null,
            client.Follower.Ends,
            job => lanes.Add(Lane.Of(job)),
            cancellationToken
        );
        return lanes;
    }

    private static async Task<WrittenResults> WriteAsync(
        BatchClient client,
        JobFile file,
        string folder,
        CancellationToken cancellationToken
    )
    {
        var batch = await client.Store.FindBatchAsync(file.Defaults.BatchId, cancellationToken);
        return await new ResultFiles(folder, new StoredJobs(client.Store)).WriteAsync(
            file.ReadAsync(cancellationToken),
            file.Defaults,
            batch is { IsComplete: true },
            cancellationToken
        );
    }

    private static async Task<int> SummarizeAsync(TextWriter output, WrittenResults written, string folder)
    {
        await output.WriteLineAsync($"{written.ResultCount} results in {Path.Combine(folder, ResultFiles.ResultsName)}");
        foreach (var remark in new[] { written.MissingTexts, written.Mismatches }.OfType<string>())
        {
            await output.WriteLineAsync(remark);
        }

        if (written.ErrorCount > 0)
        {
            await output.WriteLineAsync($"{written.ErrorCount} lines without a result: see {Path.Combine(folder, ResultFiles.ErrorsName)}");
        }

        return written.ErrorCount == 0 ? ExitCodes.Success : ExitCodes.JobsFailed;
    }

    /// <summary>The events tell when all is done; the database is asked as well, for events told before this program listened.</summary>
    private static async Task FollowAsync(
        BatchClient client,
        Guid batchId,
        Patience patience,
        Func<CancellationToken, Task<string?>> tryDescribeLack,
        TextWriter error,
        CancellationToken cancellationToken
    )
    {
        var (lack, checkedAt) = ("", (long?)null);
        do
        {
            if (lack.Length > 0 || checkedAt is not { } last || TimeProvider.System.GetElapsedTime(last) >= AttendanceCheckInterval)
            {
                if (await tryDescribeLack(cancellationToken) is { } found && found != lack)
                {
                    lack = found;
                    await error.WriteLineAsync($"dsde: {(lack.Length > 0 ? lack : "a worker is attached now")}");
                }

                checkedAt = TimeProvider.System.GetTimestamp();
            }

            if (
                await patience.InsistAsync(() => client.Store.FindBatchAsync(batchId, cancellationToken), cancellationToken) is
                { IsComplete: true }
            )
            {
                return;
            }

            await Task.WhenAny(client.Follower.AllEnded, Task.Delay(DatabaseCheckInterval, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        } while (!client.Follower.AllEnded.IsCompleted);
    }

    /// <summary>The commands with which to go on, to be copied.</summary>
    private string DescribeWayOn(ParseResult arguments, Guid batchId, string path)
    {
        var options = "";
        foreach (var option in (Option[])[_model, _policy, _seed, _limit, _out])
        {
            if (arguments.GetResult(option) is { Implicit: false, Tokens: [{ Value: var value }] })
            {
                options += $" {option.Name} {Quote(value)}";
            }
        }

        return $"Go on with: dsde submit {Quote(path)} --batch-id {batchId} --wait{options}; "
            + $"get what there is with: dsde results {batchId} {ResultArguments(arguments)}";
    }

    private string ResultArguments(ParseResult arguments) =>
        Quote(arguments.GetRequiredValue(_file)) + (arguments.GetValue(_limit) is { } number ? $" --limit {number}" : "");

    /// <summary>As a shell takes it for one word.</summary>
    private static string Quote(string word) =>
        word.All(letter => char.IsLetterOrDigit(letter) || "/._-:".Contains(letter, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
