using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>A RabbitMQ and a PostgreSQL that talk TLS, with certificates of an authority of their own.</summary>
public sealed class TlsServers : IAsyncLifetime
{
    private readonly RabbitMqWithTls _rabbitMq;
    private readonly PostgresWithTls _postgres;

    public TlsServers()
    {
        _rabbitMq = new RabbitMqWithTls(Certificates.Folder);
        _postgres = new PostgresWithTls(Certificates.Folder);
    }

    public TestCertificates Certificates { get; } = new();

    public RabbitMqServer RabbitMq => _rabbitMq;

    public PostgresServer Postgres => _postgres;

    /// <summary>Where RabbitMQ takes TLS, from clients with a certificate.</summary>
    public int RabbitMqTlsPort => _rabbitMq.Port + 4;

    public async ValueTask InitializeAsync()
    {
        await _rabbitMq.InitializeAsync();
        await _postgres.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _rabbitMq.DisposeAsync();
        await _postgres.DisposeAsync();
        Certificates.Dispose();
    }

    private sealed class RabbitMqWithTls(string certificates) : RabbitMqServer
    {
        protected override (string Name, string Value)[] Settings => [("SERVERS_TLS_FOLDER", certificates)];
    }

    private sealed class PostgresWithTls(string certificates) : PostgresServer
    {
        protected override (string Name, string Value)[] Settings => [("SERVERS_TLS_FOLDER", certificates)];
    }
}
