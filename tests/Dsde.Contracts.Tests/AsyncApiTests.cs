using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Dsde.Testing;
using YamlDotNet.RepresentationModel;

namespace Dsde.Contracts.Tests;

/// <summary>docs/asyncapi.yaml says exactly what the records are.</summary>
public sealed class AsyncApiTests
{
    private static readonly YamlMappingNode Document = Load();

    public static TheoryData<Type> Records =>
        [
            .. typeof(SubmitGenerationJob).Assembly.GetExportedTypes().Where(type => type.GetMethod("<Clone>$") is not null), // records
        ];

    [Theory]
    [MemberData(nameof(Records))]
    public void Every_property_is_described_with_its_type_and_whether_it_is_required(Type record)
    {
        var schema = Mapping(Mapping(Mapping(Document, "components"), "schemas"), record.Name);
        var described = Mapping(schema, "properties");

        described
            .Children.Keys.Select(key => key.ToString())
            .ShouldBe(record.GetProperties().Select(property => Camel(property.Name)), ignoreOrder: true);
        Required(schema)
            .ShouldBe(
                record
                    .GetProperties()
                    .Where(property => property.IsDefined(typeof(RequiredMemberAttribute)))
                    .Select(property => Camel(property.Name)),
                ignoreOrder: true
            );
        foreach (var property in record.GetProperties())
        {
            TypeOf(Mapping(described, Camel(property.Name))).ShouldBe(TypeOf(property.PropertyType), $"{record.Name}.{property.Name}");
        }
    }

    [Fact]
    public void Every_message_has_a_channel_and_an_operation()
    {
        var messages = Mapping(Mapping(Document, "components"), "messages").Children.Keys.Select(key => key.ToString()).ToList();
        var onChannels = Mapping(Document, "channels")
            .Children.Values.SelectMany(channel =>
                Mapping((YamlMappingNode)channel, "messages").Children.Keys.Select(key => key.ToString())
            );

        onChannels.Distinct().ShouldBe(messages, ignoreOrder: true);
        Mapping(Document, "operations").Children.Count.ShouldBe(Mapping(Document, "channels").Children.Count);
        Mapping(Mapping(Document, "channels"), "jobs")
            .Children[new YamlScalarNode("address")]
            .ToString()
            .ShouldBe(QueueNames.GenerationJobs);
    }

    private static YamlMappingNode Load()
    {
        var stream = new YamlStream();
        using var reader = File.OpenText(Repository.PathOf("docs", "asyncapi.yaml"));
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    private static YamlMappingNode Mapping(YamlMappingNode node, string key) => (YamlMappingNode)node.Children[new YamlScalarNode(key)];

    private static IEnumerable<string> Required(YamlMappingNode schema) =>
        schema.Children.TryGetValue(new YamlScalarNode("required"), out var required)
            ? ((YamlSequenceNode)required).Select(item => item.ToString())
            : [];

    private static string TypeOf(YamlMappingNode schema)
    {
        if (schema.Children.TryGetValue(new YamlScalarNode("allOf"), out var reference))
        {
            return ((YamlMappingNode)((YamlSequenceNode)reference)[0]).Children[new YamlScalarNode("$ref")].ToString();
        }

        if (schema.Children.TryGetValue(new YamlScalarNode("$ref"), out var direct))
        {
            return direct.ToString();
        }

        if (schema.Children.TryGetValue(new YamlScalarNode("oneOf"), out var alternatives))
        {
            return string.Join('|', ((YamlSequenceNode)alternatives).Select(alternative => TypeOf((YamlMappingNode)alternative)));
        }

        if (!schema.Children.ContainsKey(new YamlScalarNode("type")))
        {
            return "anything";
        }

        var type = schema.Children[new YamlScalarNode("type")].ToString();
        var format = schema.Children.TryGetValue(new YamlScalarNode("format"), out var given) ? $":{given}" : "";
        return type switch
        {
            "array" => $"array<{TypeOf(Mapping(schema, "items"))}>",
            "object" => $"object<{TypeOf(Mapping(schema, "additionalProperties"))}>",
            _ => type + format,
        };
    }

    private static string TypeOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(Guid) => "string:uuid",
            _ when type == typeof(string) => "string",
            _ when type == typeof(byte[]) => "string:byte",
            _ when type == typeof(int) => "integer:int32",
            _ when type == typeof(long) => "integer:int64",
            _ when type == typeof(double) => "number:double",
            _ when type == typeof(bool) => "boolean",
            _ when type == typeof(DateTimeOffset) => "string:date-time",
            _ when type == typeof(JobPrompts) => "string|array<integer:int32>|array<string|array<integer:int32>>",
            _ when type == typeof(JsonElement) => "anything",
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) =>
                $"array<{TypeOf(type.GetGenericArguments()[0])}>",
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) =>
                $"object<{TypeOf(type.GetGenericArguments()[1])}>",
            _ => $"#/components/schemas/{type.Name}",
        };
    }

    private static string Camel(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);
}
