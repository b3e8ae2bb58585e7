using System.ComponentModel.DataAnnotations;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Messaging;
using Microsoft.Extensions.Options;

namespace Dsde.Pipeline.Hosting.Settings;

/// <summary>
/// Reads and checks all that is set below <c>Dsde:</c>, before anything starts: every mistake is a line with key, value and what is
/// allowed.
/// </summary>
/// <param name="configuration">Where the settings come from.</param>
internal sealed class SettingsReader(IConfigurationRoot configuration)
{
    public const string Root = "Dsde";

    /// <summary>All there is below <see cref="Root"/>.</summary>
    public static readonly IReadOnlyDictionary<string, Type> Sections = new Dictionary<string, Type>
    {
        [EngineOptions.SectionName] = typeof(EngineOptions),
        [WorkerOptions.SectionName] = typeof(WorkerOptions),
        [RabbitMqOptions.SectionName] = typeof(RabbitMqOptions),
        [PersistenceOptions.SectionName] = typeof(PersistenceOptions),
    };

    private readonly SettingOrigins _origins = new(configuration);

    /// <summary>Checks everything that is set, whether it will be used or not. What is not set is not missed yet.</summary>
    /// <exception cref="OptionsValidationException">Something is wrong; a line for each mistake.</exception>
    public void Check() => ThrowIfAny([.. FindMistakes()]);

    /// <summary>Reads a section.</summary>
    /// <exception cref="OptionsValidationException">Something below <c>Dsde:</c> is wrong, or missing in this section.</exception>
    public T Read<T>()
        where T : class, new()
    {
        Check();
        var section = Sections.Single(section => section.Value == typeof(T)).Key;
        var options = (T)Bind(section, typeof(T));
        ThrowIfAny([.. Validate(section, options).Select(failure => Describe(section, options, failure))]);
        return options;
    }

    /// <summary>Reads a section by its name; what is missing in it is not missed.</summary>
    /// <exception cref="OptionsValidationException">Something below <c>Dsde:</c> is wrong.</exception>
    public object Read(string section)
    {
        Check();
        return Bind(section, Sections[section]);
    }

    /// <summary>Where a setting, or the first entry of a list, is set; null if it is not.</summary>
    public string? OriginOf(string key) =>
        configuration.GetSection(key) is var section && section.Exists() ? _origins.Of(section).Trim(' ', '(', ')') : null;

    private static void ThrowIfAny(IReadOnlyList<string> mistakes)
    {
        if (mistakes.Count > 0)
        {
            throw new OptionsValidationException(Root, typeof(SettingsReader), mistakes);
        }
    }

    private IEnumerable<string> FindMistakes()
    {
        foreach (var found in configuration.GetSection(Root).GetChildren())
        {
            if (
                Sections.FirstOrDefault(section => section.Key.Equals(found.Path, StringComparison.OrdinalIgnoreCase))
                is not { Key: not null } known
            )
            {
                yield return $"{found.Path} is not a section of the settings{_origins.Of(found)}; "
                    + $"{SettingNames.Suggest(found.Path, Sections.Keys)}";
                continue;
            }

            var mistakes = new SettingsWalk(_origins, known.Key, known.Value).FindMistakes(found).ToList();
            if (mistakes.Count == 0)
            {
                var options = Bind(known.Key, known.Value);
                mistakes =
                [
                    .. Validate(known.Key, options)
                        .Where(failure => !string.IsNullOrEmpty(configuration[KeyOf(known.Key, failure)]))
                        .Select(failure => Describe(known.Key, options, failure)),
                ];
            }

            foreach (var mistake in mistakes)
            {
                yield return mistake;
            }
        }
    }

    /// <summary>A list that is set replaces the default one; the binder would add to it.</summary>
    private object Bind(string section, Type type)
    {
        var options = Activator.CreateInstance(type)!;
        var configured = configuration.GetSection(section);
        foreach (var list in type.GetProperties().Where(property => property.PropertyType.IsArray))
        {
            if (configured.GetSection(list.Name).GetChildren().Any())
            {
                list.SetValue(options, Array.CreateInstance(list.PropertyType.GetElementType()!, 0));
            }
        }

        configured.Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        return options;
    }

    private static List<ValidationResult> Validate(string section, object options)
    {
        var failures = new List<ValidationResult>();
        Validator.TryValidateObject(
            options,
            new ValidationContext(options) { DisplayName = section },
            failures,
            validateAllProperties: true
        );
        return failures;
    }

    private string Describe(string section, object options, ValidationResult failure)
    {
        var key = KeyOf(section, failure);
        var property = options.GetType().GetProperty(failure.MemberNames.First());
        return string.IsNullOrEmpty(configuration[key])
            ? $"{key} is missing ({SettingOrigins.ToVariable(key)} in the environment): {failure.ErrorMessage}"
            : $"{SettingNames.Name(key, property, configuration[key])}{_origins.Of(configuration.GetSection(key))}; "
                + $"{SettingNames.Allowed(property, failure)}";
    }

    private static string KeyOf(string section, ValidationResult failure) => $"{section}:{failure.MemberNames.First()}";
}
