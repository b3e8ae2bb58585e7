using Dsde.Persistence;
using Dsde.Worker.Cli;
using Microsoft.Extensions.Options;

namespace Dsde.Worker.Tests.Cli;

public sealed class ConnectionStringsTests
{
    [Theory]
    [InlineData(PersistenceOptions.PostgreSql, "m4rk3r-s3cr3t")]
    [InlineData(PersistenceOptions.PostgreSql, "Host=a;Pasword=m4rk3r-s3cr3t")]
    [InlineData(PersistenceOptions.PostgreSql, "Host=a;Port=m4rk3r-s3cr3t")]
    [InlineData(PersistenceOptions.PostgreSql, "Host=a;SSL Mode=m4rk3r-s3cr3t")]
    [InlineData(PersistenceOptions.PostgreSql, "Host=a;Password=\"m4rk3r-s3cr3t")]
    [InlineData(PersistenceOptions.PostgreSql, "Host=a;m4rk3r-s3cr3t=1")]
    [InlineData(PersistenceOptions.PostgreSql, "postgres://user:m4rk3r-s3cr3t@host/db")]
    [InlineData(PersistenceOptions.PostgreSql, "Host=a;Password=x;m4rk3r-s3cr3t")]
    [InlineData(PersistenceOptions.Sqlite, "Data Source=a;Pasword=m4rk3r-s3cr3t")]
    [InlineData(PersistenceOptions.Sqlite, "Data Source=a;Mode=m4rk3r-s3cr3t")]
    public void What_is_wrong_with_a_connection_string_is_said_without_its_words(string provider, string connectionString)
    {
        var exception = Should.Throw<OptionsValidationException>(() =>
            ConnectionStrings.Require(new PersistenceOptions { Provider = provider, ConnectionString = connectionString })
        );

        exception.Message.ShouldNotContain("m4rk3r");
        exception.Message.ShouldContain("Dsde:Persistence:ConnectionString");
    }
}
