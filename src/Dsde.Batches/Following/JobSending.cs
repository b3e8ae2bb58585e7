using Dsde.Contracts;
using MassTransit;

namespace Dsde.Batches.Following;

/// <summary>A job as a message.</summary>
internal static class JobSending
{
    /// <summary>Sends a job under its own id, so that it is the same message however often it is sent.</summary>
    public static async Task SendJobAsync(
        this ISendEndpointProvider endpoints,
        Uri destination,
        SubmitGenerationJob job,
        CancellationToken cancellationToken
    )
    {
        var endpoint = await endpoints.GetSendEndpoint(destination);
        await endpoint.Send(job, send => send.MessageId = job.JobId, cancellationToken);
    }
}
