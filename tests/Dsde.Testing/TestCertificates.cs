using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dsde.Testing;

/// <summary>
/// An authority of the tests' own, with certificates for a server on this machine and for a client, as PEM files in a folder that goes with
/// it.
/// </summary>
public sealed class TestCertificates : IDisposable
{
    private readonly ScratchFolder _folder = new("tls");

    public TestCertificates()
    {
        using var authority = CreateAuthority("ca");
        using var other = CreateAuthority("other-ca");
        Issue(authority, "server", "localhost");
        Issue(authority, "client", "dsde-client");
    }

    /// <summary>Where ca.pem, other-ca.pem (which signed nothing), server.pem and .key, client.pem and .key are.</summary>
    public string Folder => _folder.Path;

    /// <summary>Path of a file in it.</summary>
    public string PathOf(string name) => _folder.PathOf(name);

    public void Dispose() => _folder.Dispose();

    private X509Certificate2 CreateAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Tests {name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var certificate = request.CreateSelfSigned(Yesterday, Tomorrow.AddDays(1));
        File.WriteAllText(PathOf($"{name}.pem"), certificate.ExportCertificatePem());
        return certificate;
    }

    private void Issue(X509Certificate2 authority, string name, string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={subject}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(subject);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false)
        );
        using var certificate = request.Create(authority, Yesterday, Tomorrow, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(PathOf($"{name}.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(PathOf($"{name}.key"), key.ExportPkcs8PrivateKeyPem());
    }

    private static DateTimeOffset Yesterday => TimeProvider.System.GetUtcNow().AddDays(-1);

    private static DateTimeOffset Tomorrow => TimeProvider.System.GetUtcNow().AddDays(1);
}
