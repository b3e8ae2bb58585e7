using Dsde.Testing;
using YamlDotNet.RepresentationModel;

namespace Dsde.Deployment.Tests;

/// <summary>The chart as the real helm renders it.</summary>
internal static class Chart
{
    /// <summary>The least that has to be given: the secrets.</summary>
    public const string Secrets = """
        secrets:
          Dsde__RabbitMq__Password: broker-password
          Dsde__Persistence__ConnectionString: Host=postgresql;Database=dsde;Username=dsde;Password=database-password

        """;

    /// <summary>Runs helm.</summary>
    /// <param name="values">A values file.</param>
    /// <param name="arguments">Its arguments.</param>
    public static Task<Ended> HelmAsync(string values, params string[] arguments) =>
        Command.RunAsync([Repository.PathOf("eng", "helm.sh"), .. arguments, "--values", "-"], values);

    /// <summary>The release's objects.</summary>
    /// <param name="values">A values file.</param>
    /// <param name="release">Its name.</param>
    /// <param name="arguments">More arguments for <c>helm template</c>.</param>
    public static async Task<Manifest> RenderAsync(string values = Secrets, string release = "jobs", params string[] arguments)
    {
        var ended = await HelmAsync(values, ["template", release, Repository.PathOf("helm", "dsde"), .. arguments]);
        ended.ExitCode.ShouldBe(0, ended.Error);
        return new Manifest(ended.Output);
    }

    /// <summary>The values files for kinds of installations.</summary>
    public static IEnumerable<string> ValuesFiles =>
        Directory.GetFiles(Folder, "values-*.yaml").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    /// <summary>Where it is.</summary>
    public static string Folder => Repository.PathOf("helm", "dsde");

    /// <summary>What helm says against values.</summary>
    public static async Task<string> RefuseAsync(string values, params string[] arguments)
    {
        var ended = await HelmAsync(values, ["template", "jobs", Repository.PathOf("helm", "dsde"), .. arguments]);
        ended.ExitCode.ShouldNotBe(0, ended.Output);
        return ended.Error;
    }
}

/// <summary>Objects for Kubernetes.</summary>
internal sealed class Manifest(string text, IReadOnlyList<YamlNode> objects)
{
    public Manifest(string text)
        : this(text, Yaml.Load(text)) { }

    /// <summary>As it is sent.</summary>
    public string Text { get; } = text;

    /// <summary>Its objects.</summary>
    public IReadOnlyList<YamlNode> Objects { get; } = objects;

    /// <summary>The only object of a kind that the release keeps: hooks are something else.</summary>
    public YamlNode this[string kind] => Of(kind).Single(candidate => !IsHook(candidate));

    /// <summary>All objects of a kind.</summary>
    public IEnumerable<YamlNode> Of(string kind) => Objects.Where(candidate => candidate.Text("kind") == kind);

    /// <summary>Without the objects of other pools.</summary>
    public Manifest OfPool(string pool) =>
        new(
            Text,
            [
                .. Objects.Where(made =>
                    made.Text("kind") is not ("Deployment" or "ConfigMap" or "ScaledObject" or "TriggerAuthentication")
                    || made.Text("metadata", "name").EndsWith($"-{pool}", StringComparison.Ordinal)
                ),
            ]
        );

    /// <summary>Whether helm makes an object beside the release.</summary>
    public static bool IsHook(YamlNode made) => made.Find("metadata", "annotations", "helm.sh/hook") is not null;

    /// <summary>The pods that it makes.</summary>
    public YamlNode Pod => this["Deployment"].At("spec", "template");

    /// <summary>The worker's container.</summary>
    public YamlNode Worker => Pod.At("spec", "containers").Items().Single();

    /// <summary>The migration's container.</summary>
    public YamlNode Migration => Of("Job").Single().At("spec", "template", "spec", "containers").Items().Single();

    /// <summary>What the worker finds in its environment.</summary>
    public Dictionary<string, string> Environment =>
        this["ConfigMap"].At("data").Texts().Concat(this["Secret"].At("stringData").Texts()).ToDictionary();
}
