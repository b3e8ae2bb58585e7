namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>The broker takes an event in none of its forms: its job's message goes to the error queue with this for its reason.</summary>
internal sealed class EventTooLargeException(string name, long bytes, long limit)
    : Exception(
        $"{name} has {bytes} bytes at its smallest, but the broker takes at most {limit}. Raise max_message_size of RabbitMQ; "
            + "the end of the job is stored."
    );
