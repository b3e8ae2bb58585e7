using Dsde.Pipeline.Telemetry;
using MassTransit;
using MassTransit.Middleware.Rescue;
using MassTransit.Transports;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Reads jobs before MassTransit would. It stands outside of MassTransit's handling of failures, so nothing may be thrown here: the broker
/// would deliver the message again, for ever.
/// </summary>
internal sealed class IncomingJobFilter(int maxBytes, ILogger logger) : IFilter<ReceiveContext>
{
    /// <inheritdoc/>
    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        TransportHeaders.Bound(context);
        switch (Read(context))
        {
            case IncomingJob.Read job:
                var consumed = JobMessageContext.Create(context, job);
                context.AddOrUpdatePayload(() => consumed, _ => consumed);
                if (job.Refusal is { } refusal)
                {
                    context.AddOrUpdatePayload(() => refusal, _ => refusal);
                }

                await next.Send(context);
                break;
            case IncomingJob.Unreadable unreadable:
                await MoveAsync(context, unreadable.Reason);
                break;
        }
    }

    /// <inheritdoc/>
    public void Probe(ProbeContext context) => context.CreateFilterScope("incomingJobs");

    private IncomingJob Read(ReceiveContext context)
    {
        try
        {
            var job = IncomingJobReader.Read(context.Body.GetBytes(), context.ContentType?.MediaType, maxBytes);
            return job is IncomingJob.Read { Ids: var ids } read ? read with { Ids = ids.Or(TransportHeaders.ReadIds(context)) } : job;
        }
        catch (Exception exception)
        {
            // A mistake of this program. Its message may have the body's words, so the type has to do.
            return new IncomingJob.Unreadable($"The body could not be read, which is this program's mistake: {exception.GetType().Name}.");
        }
    }

    private async Task MoveAsync(ReceiveContext context, string reason)
    {
        if (!context.TryGetPayload(out IErrorTransport? transport))
        {
            throw new TransportException(context.InputAddress, "The endpoint has no error queue.");
        }

        await transport.Send(new RescueExceptionReceiveContext(context, new UnreadableJobException(reason)));
        logger.MessageMoved(context.InputAddress.AbsolutePath.Split('/')[^1], context.Body.Length ?? 0, reason);
    }
}
