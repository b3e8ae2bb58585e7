using System.Text.RegularExpressions;

namespace Dsde.Deployment.Tests;

/// <summary>A stage of the Dockerfile as <see cref="ImageBuild"/> has made it: a folder that stands for its root, and what is noted of
/// it.</summary>
/// <param name="root">The folder.</param>
internal sealed partial class BuiltStage(string root)
{
    // As the Dockerfile has them: a stage that begins with this one has them at another place.
    private Dictionary<string, string> _environment = [];
    private string[] _entrypoint = [];
    private string[] _healthCheck = [];
    private string _workingFolder = "/";

    /// <summary>The folder that stands for its root.</summary>
    public string Root => root;

    /// <summary>Arguments of the build, with their defaults.</summary>
    public Dictionary<string, string> Arguments { get; } = [];

    /// <summary>Variables that the Dockerfile sets.</summary>
    public Dictionary<string, string> Environment => _environment.ToDictionary(pair => pair.Key, pair => Map(pair.Value));

    /// <summary>Labels.</summary>
    public Dictionary<string, string> Labels { get; private init; } = [];

    /// <summary>Who runs it.</summary>
    public string User { get; set; } = "0";

    /// <summary>What is run.</summary>
    public string[] Entrypoint
    {
        get => [.. _entrypoint.Select(Map)];
        set => _entrypoint = value;
    }

    /// <summary>With which arguments, unless others are given.</summary>
    public string[] Command { get; set; } = [];

    /// <summary>What tells whether it is well.</summary>
    public string[] HealthCheck
    {
        get => [.. _healthCheck.Select(Map)];
        set => _healthCheck = value;
    }

    /// <summary>Where it runs.</summary>
    public string WorkingFolder
    {
        get => PathOf(_workingFolder);
        set => _workingFolder = value;
    }

    /// <summary>Another that begins with this one.</summary>
    public BuiltStage Continue(string at) =>
        new(at)
        {
            _environment = new(_environment),
            _entrypoint = _entrypoint,
            _healthCheck = _healthCheck,
            _workingFolder = _workingFolder,
            Labels = new(Labels),
            User = User,
            Command = Command,
        };

    /// <summary>Sets a variable.</summary>
    public void Set(string variable, string value) => _environment[variable] = value;

    /// <summary>Where a path of the image is here.</summary>
    public string PathOf(string path) => Path.Combine(root, path.TrimStart('/'));

    /// <summary>A text with the paths of the image in it as they are here.</summary>
    public string Map(string text) => Paths().Replace(text, $"{root}/");

    /// <summary>A text with its variables replaced.</summary>
    public string Expand(string text) =>
        Variable()
            .Replace(text, used => Arguments.GetValueOrDefault(used.Groups[1].Value) ?? ImageBuild.BaseEnvironment[used.Groups[1].Value]);

    [GeneratedRegex(@"(?<=^|[\s""'=])/(?=\w)")]
    private static partial Regex Paths();

    [GeneratedRegex(@"\$\{(\w+)\}")]
    private static partial Regex Variable();
}
