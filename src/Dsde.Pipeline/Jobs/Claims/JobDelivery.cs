using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;

namespace Dsde.Pipeline.Jobs.Claims;

/// <summary>A job as it came from its queue.</summary>
/// <param name="Job">The job; of a refused one the ids.</param>
/// <param name="Lane">How it came.</param>
/// <param name="Refusal">Why it is not to be run; null if it is.</param>
internal sealed record JobDelivery(SubmitGenerationJob Job, JobLane Lane, JobRefusal? Refusal);
