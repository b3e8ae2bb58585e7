using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Dsde.Pipeline.Messaging;

/// <summary>Where the broker is.</summary>
internal sealed class RabbitMqOptions : IValidatableObject
{
    public const string SectionName = "Dsde:RabbitMq";

    /// <summary>Host name or address.</summary>
    /// <value>A name or an address. The default is <c>localhost</c>.</value>
    [Required]
    public string Host { get; set; } = "localhost";

    /// <summary>AMQP port.</summary>
    /// <value>1 to 65535. The default is 5672.</value>
    [Range(1, 65535)]
    public int Port { get; set; } = 5672;

    /// <summary>Virtual host.</summary>
    /// <value>A name. The default is <c>/</c>.</value>
    [Required]
    public string VirtualHost { get; set; } = "/";

    /// <summary>User.</summary>
    /// <value>A name. The default is <c>guest</c>.</value>
    [Required]
    public string Username { get; set; } = "guest";

    /// <summary>Password.</summary>
    /// <value>A text. The default is <c>guest</c>.</value>
    [PasswordPropertyText(true)]
    public string Password { get; set; } = "guest";

    /// <summary>
    /// A file with the password, which then counts instead of <see cref="Password"/>; a line end after it is no part of it.
    /// </summary>
    /// <value>A path, or empty. The default is empty: none.</value>
    public string PasswordFile { get; set; } = "";

    /// <summary>Whether to connect by TLS, usually with <see cref="Port"/> 5671. The broker's certificate is always verified.</summary>
    /// <value>The default is false.</value>
    public bool UseTls { get; set; }

    /// <summary>Name that the broker's certificate has to be for.</summary>
    /// <value>A name, or empty. The default is empty: <see cref="Host"/>.</value>
    public string TlsServerName { get; set; } = "";

    /// <summary>PEM file of the authorities that may have signed the broker's certificate.</summary>
    /// <value>A path, or empty. The default is empty: those that the system trusts.</value>
    public string CaCertificate { get; set; } = "";

    /// <summary>PEM file of the certificate that this program shows.</summary>
    /// <value>A path, or empty. The default is empty: none.</value>
    public string ClientCertificate { get; set; } = "";

    /// <summary>PEM file of its private key, unencrypted.</summary>
    /// <value>A path, or empty. The default is empty: <see cref="ClientCertificate"/> has it as well.</value>
    public string ClientCertificateKey { get; set; } = "";

    /// <summary>
    /// Time after which the broker takes back a message that was not acknowledged, set on the queue. Needs RabbitMQ 3.12; all workers and
    /// submitters must agree.
    /// </summary>
    /// <value>Minutes, 0 (the broker's own setting) to 10080. The default is 0.</value>
    [Range(0, 10080)]
    public int AcknowledgementTimeoutMinutes { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        (string Name, string Path)[] files =
        [
            (nameof(PasswordFile), PasswordFile),
            (nameof(CaCertificate), CaCertificate),
            (nameof(ClientCertificate), ClientCertificate),
            (nameof(ClientCertificateKey), ClientCertificateKey),
        ];
        foreach (var (name, path) in files)
        {
            if (path.Length > 0 && !File.Exists(path))
            {
                yield return new ValidationResult("the file is not there.", [name]);
            }

            if (path.Length > 0 && !UseTls && name != nameof(PasswordFile))
            {
                yield return new ValidationResult(
                    $"{nameof(UseTls)} is false, so that it would not be used. Set {nameof(UseTls)}, or leave it out.",
                    [name]
                );
            }
        }
    }

    /// <summary>The password, from wherever it is.</summary>
    public string ReadPassword() => PasswordFile.Length > 0 ? File.ReadAllText(PasswordFile).TrimEnd('\r', '\n') : Password;

    /// <summary>For messages to people; without the password.</summary>
    public string Describe() => $"{Host}:{Port}{(VirtualHost == "/" ? "" : $" (virtual host {VirtualHost})")}";
}
