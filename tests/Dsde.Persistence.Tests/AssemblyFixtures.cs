using Dsde.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]
