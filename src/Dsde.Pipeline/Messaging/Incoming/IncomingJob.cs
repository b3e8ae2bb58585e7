using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>A job as a message brought it.</summary>
/// <param name="Job">As it was sent; of a refused one the ids.</param>
/// <param name="Ids">What the message says about itself.</param>
/// <param name="Refusal">Why it can never run; null if nothing is known against it.</param>
internal sealed record IncomingJob(SubmitGenerationJob Job, MessageIds Ids, JobRefusal? Refusal = null);
