using YamlDotNet.RepresentationModel;

namespace Dsde.Deployment.Tests;

/// <summary>Short ways through YAML.</summary>
internal static class Yaml
{
    /// <summary>The documents in a text.</summary>
    public static IReadOnlyList<YamlNode> Load(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(document => document.RootNode)];
    }

    /// <summary>What is below some keys; null if there is nothing.</summary>
    public static YamlNode? Find(this YamlNode node, params string[] keys)
    {
        var found = node;
        foreach (var key in keys)
        {
            if (found is not YamlMappingNode mapping || !mapping.Children.TryGetValue(key, out found))
            {
                return null;
            }
        }

        return found;
    }

    /// <summary>What is below some keys.</summary>
    public static YamlNode At(this YamlNode node, params string[] keys) =>
        node.Find(keys) ?? throw new InvalidOperationException($"There is no {string.Join('.', keys)} in {node}.");

    /// <summary>The text below some keys.</summary>
    public static string Text(this YamlNode node, params string[] keys) => node.At(keys).ToString();

    /// <summary>The items of a list.</summary>
    public static IEnumerable<YamlNode> Items(this YamlNode node) => ((YamlSequenceNode)node).Children;

    /// <summary>The texts of a map.</summary>
    public static Dictionary<string, string> Texts(this YamlNode node) =>
        ((YamlMappingNode)node).Children.ToDictionary(pair => pair.Key.ToString(), pair => pair.Value.ToString());
}
