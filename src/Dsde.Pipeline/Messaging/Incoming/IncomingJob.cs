using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>What the body of a message came to.</summary>
internal abstract record IncomingJob
{
    private IncomingJob() { }

    /// <summary>A job.</summary>
    /// <param name="Job">As it was sent; of a refused one the ids.</param>
    /// <param name="Ids">What the message says about itself.</param>
    /// <param name="Refusal">Why it can never run; null if nothing is known against it.</param>
    public sealed record Read(SubmitGenerationJob Job, MessageIds Ids, JobRefusal? Refusal = null) : IncomingJob;

    /// <summary>Nobody can be told, as it doesn't say which job it is about.</summary>
    /// <param name="Reason">In words a person understands, without anything that was in the body.</param>
    public sealed record Unreadable(string Reason) : IncomingJob;
}
