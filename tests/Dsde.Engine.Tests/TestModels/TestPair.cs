namespace Dsde.Engine.Tests.TestModels;

/// <summary>A target and a draft that agree often but not always, in scratch folders.</summary>
public sealed class TestPair : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("dsde-models-");

    public TestPair()
    {
        Target = Path.Combine(_root.FullName, "target");
        Draft = Path.Combine(_root.FullName, "draft");
        TestModelFolder.Write(Target, TargetShape);
        TestModelFolder.Write(Draft, TargetShape with { Layers = 1 });
    }

    public static TestModelShape TargetShape { get; } = new();

    public string Target { get; }

    public string Draft { get; }

    public void Dispose() => _root.Delete(recursive: true);
}
