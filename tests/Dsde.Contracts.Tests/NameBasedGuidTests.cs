namespace Dsde.Contracts.Tests;

public sealed class NameBasedGuidTests
{
    private static readonly Guid Dns = new("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

    [Fact]
    public void Create_gives_the_standards_example() =>
        NameBasedGuid.Create(Dns, "www.example.com").ShouldBe(new Guid("2ed6657d-e927-568b-95e1-2665a8aea6a2"));

    [Fact]
    public void Create_takes_long_names() =>
        NameBasedGuid.Create(Dns, new string('x', 5000)).ShouldNotBe(NameBasedGuid.Create(Dns, new string('x', 5001)));
}
