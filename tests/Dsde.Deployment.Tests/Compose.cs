using System.Text.RegularExpressions;
using Dsde.Testing;
using YamlDotNet.RepresentationModel;

namespace Dsde.Deployment.Tests;

/// <summary>The compose file, with what its variables are by default.</summary>
internal static partial class Compose
{
    private static readonly string Source = File.ReadAllText(Repository.PathOf("docker", "compose.yaml"));
    private static readonly YamlNode Parsed = Yaml.Load(Variable().Replace(Source, "${default}")).Single();

    /// <summary>The lines of the head, without their signs.</summary>
    public static IEnumerable<string> Head =>
        Source.Split('\n').TakeWhile(line => line.StartsWith('#')).Select(line => line.TrimStart('#').Trim());

    /// <summary>All services by name.</summary>
    public static IEnumerable<(string Name, YamlNode Node)> Services =>
        ((YamlMappingNode)Parsed.At("services")).Children.Select(pair => (pair.Key.ToString(), Service(pair.Key.ToString())));

    /// <summary>A service, with what it is merged of.</summary>
    public static YamlNode Service(string name) => Merge(Parsed.At("services", name));

    /// <summary>What a service finds in its environment.</summary>
    public static Dictionary<string, string> Environment(string service) => Merge(Service(service).At("environment")).Texts();

    private static YamlMappingNode Merge(YamlNode node)
    {
        var merged = new YamlMappingNode();
        var parts = new[] { node.Find("<<"), node }.OfType<YamlMappingNode>().SelectMany(part => part.Children);
        foreach (var (key, value) in parts.Where(part => part.Key.ToString() != "<<"))
        {
            merged.Children[key] = value;
        }

        return merged;
    }

    [GeneratedRegex(@"\$\{\w+:?-(?<default>[^}]*)\}")]
    private static partial Regex Variable();
}
