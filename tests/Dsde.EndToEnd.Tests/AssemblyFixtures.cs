using Dsde.EndToEnd.Tests;
using Dsde.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]
[assembly: AssemblyFixture(typeof(RabbitMqServer))]
[assembly: AssemblyFixture(typeof(SampleRun))]

// Every test here runs whole programs, which have the machine's cores to themselves.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
