using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Dsde.Pipeline.Hosting.Settings;

/// <summary>The documentation comments of an assembly, which the compiler writes into a file beside it.</summary>
internal sealed partial class DocumentationComments
{
    private readonly Dictionary<string, XElement> _members;

    private DocumentationComments(Dictionary<string, XElement> members) => _members = members;

    /// <summary>Those of a type's assembly.</summary>
    /// <exception cref="ExpectedFailureException">The file is missing.</exception>
    public static DocumentationComments Of(Type type)
    {
        var path = Path.Combine(AppContext.BaseDirectory, $"{type.Assembly.GetName().Name}.xml");
        return File.Exists(path)
            ? new(XDocument.Load(path).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value))
            : throw new ExpectedFailureException($"What settings mean is said in {path}, which is missing. It belongs to the program.");
    }

    /// <summary>A part of a comment in one line, names and values in backticks.</summary>
    /// <param name="member">As the compiler names it.</param>
    /// <param name="part">Name of the element.</param>
    /// <returns>Empty if there is none.</returns>
    public string Read(string member, string part) =>
        _members.GetValueOrDefault(member)?.Element(part) is { } element ? Spaces().Replace(Render(element), " ").Trim() : "";

    private static string Render(XNode node) =>
        node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" } see when see.Attribute("cref") is { } name =>
                $"`{name.Value[(name.Value.LastIndexOf('.') + 1)..]}`",
            XElement element => string.Concat(element.Nodes().Select(Render)),
            _ => "",
        };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
