using Dsde.Testing;

namespace Dsde.Engine.Tests.TestModels;

/// <summary>A target and a draft that agree often but not always, in scratch folders.</summary>
public sealed class TestPair : IDisposable
{
    private readonly ScratchFolder _folder = new("models");

    public TestPair()
    {
        Target = _folder.PathOf("target");
        Draft = _folder.PathOf("draft");
        TestModelFolder.Write(Target, TargetShape);
        TestModelFolder.Write(Draft, TargetShape with { Layers = 1 });
    }

    public static TestModelShape TargetShape { get; } = new();

    public string Target { get; }

    public string Draft { get; }

    public void Dispose() => _folder.Dispose();
}
