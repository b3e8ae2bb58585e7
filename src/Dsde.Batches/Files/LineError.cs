namespace Dsde.Batches.Files;

/// <summary>Why a line of a job file makes no job.</summary>
/// <param name="Code">For programs: one of <see cref="LineErrorCodes"/>.</param>
/// <param name="Message">For people: the field, the value and what is allowed.</param>
/// <param name="Field">The field at fault, for example <c>body.stop</c>; null if it is the line itself.</param>
internal sealed record LineError(string Code, string Message, string? Field = null);

/// <summary>Values of <see cref="LineError.Code"/>.</summary>
internal static class LineErrorCodes
{
    public const string InvalidJson = "invalid_json_line";
    public const string MissingField = "missing_required_parameter";
    public const string InvalidValue = "invalid_value";
    public const string UnknownField = "unknown_parameter";
    public const string Unsupported = "unsupported_parameter";
    public const string InvalidUrl = "invalid_url";
    public const string InvalidMethod = "invalid_method";
    public const string DuplicateCustomId = "duplicate_custom_id";
    public const string LineTooLong = "line_too_long";
    public const string NotInBatch = "not_in_batch";
}
