using System.ComponentModel.DataAnnotations;

namespace Dsde.Worker.Messaging;

/// <summary>Where the broker is.</summary>
internal sealed class RabbitMqOptions
{
    public const string SectionName = "Dsde:RabbitMq";

    /// <summary>Host name or address.</summary>
    [Required]
    public string Host { get; set; } = "localhost";

    /// <summary>AMQP port.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 5672;

    /// <summary>Virtual host.</summary>
    [Required]
    public string VirtualHost { get; set; } = "/";

    /// <summary>User.</summary>
    [Required]
    public string Username { get; set; } = "guest";

    /// <summary>Password.</summary>
    public string Password { get; set; } = "guest";

    /// <summary>Whether to connect by TLS.</summary>
    public bool UseTls { get; set; }

    /// <summary>
    /// Minutes after which the broker takes back a message that was not acknowledged, set on the queue; 0 for the broker's own setting. Needs RabbitMQ 3.12.
    /// </summary>
    [Range(0, 10080)]
    public int AcknowledgementTimeoutMinutes { get; set; }

    /// <summary>For messages to people; without the password.</summary>
    public string Describe() => $"{Host}:{Port}{(VirtualHost == "/" ? "" : $" (virtual host {VirtualHost})")}";
}
