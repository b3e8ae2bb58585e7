using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>Finds out whose a job is that is too large, or can't be read as one, without reading all of it.</summary>
internal sealed class JobScan
{
    private int _jobIdCount;
    private Guid? _jobId;

    private JobScan() { }

    /// <summary>The job; null if it has no id, or more than one.</summary>
    public Guid? JobId => _jobIdCount == 1 && _jobId != Guid.Empty ? _jobId : null;

    /// <summary>Its batch, if there is one.</summary>
    public Guid? BatchId { get; private set; }

    /// <summary>Its name, if it is one that can be stored.</summary>
    public string? CustomId { get; private set; }

    /// <summary>Whether a model is named.</summary>
    public bool HasModel { get; private set; }

    /// <summary>What is wrong with the job's id, if it has none.</summary>
    public string JobIdMistake =>
        _jobIdCount switch
        {
            0 => "jobId is missing; give each job an id of its own.",
            > 1 => "jobId is given more than once; give it once.",
            _ when _jobId is null => "jobId is no UUID; give for example 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11.",
            _ => "jobId is all zeros; give each job an id of its own.",
        };

    /// <exception cref="JsonException">It is not an object in JSON.</exception>
    public static JobScan Read(ReadOnlySpan<byte> json)
    {
        var scan = new JobScan();
        JsonWalk.Walk(json, scan.Visit);
        return scan;
    }

    private void Visit(string name, ref Utf8JsonReader reader)
    {
        if (name.Equals(nameof(SubmitGenerationJob.JobId), StringComparison.OrdinalIgnoreCase))
        {
            _jobIdCount++;
            _jobId = JsonWalk.TryGetId(ref reader);
        }
        else if (name.Equals(nameof(SubmitGenerationJob.BatchId), StringComparison.OrdinalIgnoreCase))
        {
            BatchId = JsonWalk.TryGetId(ref reader);
        }
        else if (name.Equals(nameof(SubmitGenerationJob.CustomId), StringComparison.OrdinalIgnoreCase))
        {
            CustomId =
                reader.ValueSpan.Length <= JobLimits.MaxCustomIdLength * 6
                && JsonWalk.TryGetText(ref reader) is { } text
                && JobLimits.CheckCustomId(text) is null
                    ? text
                    : null;
        }
        else if (name.Equals(nameof(SubmitGenerationJob.Model), StringComparison.OrdinalIgnoreCase))
        {
            HasModel = true;
        }
    }
}
