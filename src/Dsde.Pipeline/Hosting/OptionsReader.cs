using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Binds and checks options before anything starts: a mistake names its key and what is allowed, a misspelt key is a mistake.
/// </summary>
internal static class OptionsReader
{
    /// <exception cref="OptionsValidationException">Something in the section is wrong.</exception>
    public static T Read<T>(IConfiguration configuration, string section)
        where T : class, new()
    {
        var options = new T();
        try
        {
            configuration.GetSection(section).Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException exception)
        {
            throw new OptionsValidationException(
                section,
                typeof(T),
                [$"{section}: {exception.InnerException?.Message ?? exception.Message}"]
            );
        }

        var failures = new List<ValidationResult>();
        return Validator.TryValidateObject(options, new ValidationContext(options), failures, validateAllProperties: true)
            ? options
            : throw new OptionsValidationException(
                section,
                typeof(T),
                failures.Select(failure => $"{section}:{failure.MemberNames.FirstOrDefault()}: {failure.ErrorMessage}")
            );
    }
}
