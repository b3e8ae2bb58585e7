using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// TLS to the broker, the same for the bus and for plain connections. Left to its defaults, MassTransit takes a certificate of any
/// authority for good.
/// </summary>
internal sealed class BrokerTls
{
    private readonly string _serverName;
    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2Collection _clientCertificates;

    /// <exception cref="OptionsValidationException">A certificate can't be read.</exception>
    public BrokerTls(RabbitMqOptions options)
    {
        _serverName = options.TlsServerName.Length > 0 ? options.TlsServerName : options.Host;
        _authorities =
            options.CaCertificate.Length == 0
                ? null
                : Read(
                    nameof(options.CaCertificate),
                    options.CaCertificate,
                    () =>
                    {
                        var authorities = new X509Certificate2Collection();
                        authorities.ImportFromPemFile(options.CaCertificate);
                        return authorities.Count > 0 ? authorities : throw new CryptographicException("It holds no certificate.");
                    }
                );
        _clientCertificates =
            options.ClientCertificate.Length == 0
                ? []
                : Read(
                    nameof(options.ClientCertificate),
                    options.ClientCertificate,
                    () =>
                        new X509Certificate2Collection(
                            X509Certificate2.CreateFromPemFile(
                                options.ClientCertificate,
                                options.ClientCertificateKey.Length == 0 ? null : options.ClientCertificateKey
                            )
                        )
                );
    }

    public void ApplyTo(SslOption ssl)
    {
        ssl.Enabled = true;
        ssl.ServerName = _serverName;
        ssl.Certs = _clientCertificates;
        ssl.CertificateValidationCallback = Validate;
    }

    public void ApplyTo(IRabbitMqSslConfigurator ssl)
    {
        ssl.Protocol = SslProtocols.None; // what the system offers, instead of 1.2 only
        ssl.ServerName = _serverName;
        ssl.Certificate = _clientCertificates.FirstOrDefault();
        ssl.CertificateValidationCallback = Validate;
    }

    /// <exception cref="AuthenticationException">The certificate is none to be trusted; returning false would not say why.</exception>
    private bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 shown)
        {
            throw new AuthenticationException("The broker shows no certificate.");
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            throw new AuthenticationException(
                $"The broker's certificate ({shown.Subject}) is not for {_serverName}. Set "
                    + $"{RabbitMqOptions.SectionName}:{nameof(RabbitMqOptions.Host)} or {nameof(RabbitMqOptions.TlsServerName)} to a "
                    + $"name it is for."
            );
        }

        if (_authorities is null)
        {
            return errors == SslPolicyErrors.None ? true : throw Untrusted(shown, chain, "an authority that this system trusts");
        }

        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            own.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return own.Build(shown) ? true : throw Untrusted(shown, own, "an authority of that file");
    }

    private static AuthenticationException Untrusted(X509Certificate2 shown, X509Chain? chain, string authority) =>
        new(
            $"The broker's certificate ({shown.Subject}, issued by {shown.Issuer}) can't be verified: "
                + $"{string.Join(", ", chain?.ChainStatus.Select(status => status.Status) ?? [])}. "
                + $"Check {RabbitMqOptions.SectionName}:{nameof(RabbitMqOptions.CaCertificate)}; the certificate must be valid and "
                + $"come from {authority}."
        );

    private static T Read<T>(string name, string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception)
            when (exception is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new OptionsValidationException(
                RabbitMqOptions.SectionName,
                typeof(RabbitMqOptions),
                [$"{RabbitMqOptions.SectionName}:{name}: {path} can't be read as PEM: {exception.Message}"]
            );
        }
    }
}
