using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>What the broker said when it refused something, and what that needs.</summary>
internal static class BrokerRefusal
{
    /// <summary>
    /// Whether the broker has refused something for good. One that is stopping or starting says other things than one that does not let the
    /// user.
    /// </summary>
    public static bool IsOne(ShutdownEventArgs? reason) =>
        reason?.ReplyCode switch
        {
            Constants.AccessRefused or Constants.NotAllowed or Constants.PreconditionFailed or Constants.ResourceLocked => true,
            Constants.NotFound => !reason.ReplyText.Contains("down or inaccessible", StringComparison.Ordinal),
            _ => false,
        };

    /// <summary>For people; the broker's own words, and the remedy.</summary>
    public static string Describe(RabbitMqOptions options, OperationInterruptedException exception)
    {
        var said = exception.ShutdownReason?.ReplyText.TrimEnd('.', ' ') ?? exception.Message;
        return $"RabbitMQ at {options.Describe()} refused it to user {options.Username}: {said}. "
            + $"{Remedy(options, exception.ShutdownReason, said)}";
    }

    private static string Remedy(RabbitMqOptions options, ShutdownEventArgs? reason, string said) =>
        reason?.ReplyCode switch
        {
            Constants.NotAllowed when said.Contains("not found", StringComparison.Ordinal) =>
                $"Make the virtual host (rabbitmqctl add_vhost {options.VirtualHost}) and give the user rights in it, or set "
                    + $"{RabbitMqOptions.SectionName}:VirtualHost.",
            Constants.NotAllowed or Constants.AccessRefused =>
                "The user needs the rights to configure, write and read there: rabbitmqctl set_permissions -p "
                    + $"{options.VirtualHost} {options.Username} '.*' '.*' '.*'.",
            Constants.PreconditionFailed when said.Contains(" for queue ", StringComparison.Ordinal) =>
                "The queue was made with other arguments. Set what differs as it was (all workers and submitters must agree), use another "
                    + "virtual host, or, if what is in the queue may be lost, delete it.",
            Constants.PreconditionFailed => "It was made otherwise by somebody else. Use another virtual host.",
            Constants.NotFound => "It is made by workers and dsde submit; somebody has deleted it meanwhile.",
            _ => "",
        };
}
