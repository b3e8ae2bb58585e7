using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using MassTransit.Middleware.Rescue;
using MassTransit.Transports;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Reads jobs before MassTransit would. It stands outside of MassTransit's handling of failures, so nothing may be thrown here: the broker
/// would deliver the message again, for ever.
/// </summary>
/// <param name="maxBytes">The longest body that is read.</param>
/// <param name="findModel">The model of a job whose body names none; null if it has to.</param>
/// <param name="logger">The log.</param>
internal sealed class IncomingJobFilter(int maxBytes, Func<ReceiveContext, string?> findModel, ILogger logger) : IFilter<ReceiveContext>
{
    /// <inheritdoc/>
    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        IncomingJob job;
        try
        {
            TransportHeaders.Bound(context);
            job = IncomingJobReader.Read(context.Body.GetBytes(), context.ContentType?.MediaType, maxBytes, findModel(context));
        }
        catch (UnreadableMessageException exception)
        {
            await MoveAsync(context, exception);
            return;
        }
        catch (Exception exception)
        {
            // A mistake of this program. Its message may have the body's words, so the type has to do.
            await MoveAsync(
                context,
                new UnreadableMessageException($"The body could not be read, which is this program's mistake: {exception.GetType().Name}.")
            );
            return;
        }

        var consumed = IncomingMessageContext.Create(context, job.Job, job.Ids.Or(TransportHeaders.ReadIds(context)));
        context.AddOrUpdatePayload(() => consumed, _ => consumed);
        if (job.Refusal is { } refusal)
        {
            context.AddOrUpdatePayload(() => refusal, _ => refusal);
        }

        await next.Send(context);
    }

    /// <inheritdoc/>
    public void Probe(ProbeContext context) => context.CreateFilterScope("incomingJobs");

    private async Task MoveAsync(ReceiveContext context, UnreadableMessageException reason)
    {
        if (!context.TryGetPayload(out IErrorTransport? transport))
        {
            throw new TransportException(context.InputAddress, "The endpoint has no error queue.");
        }

        await transport.Send(new RescueExceptionReceiveContext(context, reason));
        logger.MessageMoved(InputQueue.Of(context), context.Body.Length ?? 0, reason.Message);
    }
}
