using Dsde.Contracts;
using MassTransit;

namespace Dsde.Batches.Following;

/// <summary>A job as a message.</summary>
internal static class JobSending
{
    /// <summary>
    /// Sends a job under its own id, so that it is the same message however often it is sent, and straight to the queue of its model where
    /// there are such queues.
    /// </summary>
    /// <param name="endpoints">The bus.</param>
    /// <param name="destination">Where jobs go.</param>
    /// <param name="job">The job.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="furnish">Adds to what goes with the message.</param>
    public static async Task SendJobAsync(
        this ISendEndpointProvider endpoints,
        Uri destination,
        SubmitGenerationJob job,
        CancellationToken cancellationToken,
        Action<SendContext>? furnish = null
    )
    {
        var endpoint = await endpoints.GetSendEndpoint(destination);
        await endpoint.Send(
            job,
            send =>
            {
                send.MessageId = job.JobId;
                if (ModelAlias.IsValid(job.Model))
                {
                    send.TrySetRoutingKey(QueueNames.RoutingKey(job.Model, isHigh: job.Priority > 0));
                }

                furnish?.Invoke(send);
            },
            cancellationToken
        );
    }
}
