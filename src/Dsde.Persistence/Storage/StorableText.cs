using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Storage;

/// <summary>
/// Text as every database can keep it. PostgreSQL has neither U+0000 nor half a surrogate pair in text, and its JSON functions stop at the
/// escapes of both: whatever a submitter or a model writes, U+FFFD takes their place here, once, so that no write fails of it.
/// </summary>
internal static class StorableText
{
    private const char Replacement = '\uFFFD';
    private const int EscapeLength = 6;

    /// <summary>A claim whose texts can be stored.</summary>
    public static JobClaim Clean(JobClaim claim)
    {
        var (request, customId, model, workload, traceParent) = (
            CleanJson(claim.Request),
            Clean(claim.CustomId),
            Clean(claim.Model),
            Clean(claim.Workload),
            Clean(claim.TraceParent)
        );
        return
            (request, customId, model, workload, traceParent)
            == (claim.Request, claim.CustomId, claim.Model, claim.Workload, claim.TraceParent)
            ? claim
            : claim with
            {
                Request = request,
                CustomId = customId,
                Model = model,
                Workload = workload,
                TraceParent = traceParent,
            };
    }

    /// <summary>An end whose texts can be stored.</summary>
    public static JobEnd Clean(JobEnd end) =>
        end switch
        {
            FailedJobEnd failed => failed with
            {
                Failure = failed.Failure with { Code = Clean(failed.Failure.Code), Message = Clean(failed.Failure.Message) },
            },
            _ when end.Outputs.All(output => Clean(output.Text) == output.Text) => end,
            _ => end with { Outputs = [.. end.Outputs.Select(output => output with { Text = Clean(output.Text) })] },
        };

    /// <summary>Any text.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Clean(string? text)
    {
        if (text is null || (!text.Contains('\0', StringComparison.Ordinal) && text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) // gives U+FFFD for half a pair
        {
            clean.Append(rune.Value == 0 ? Replacement.ToString() : rune.ToString());
        }

        return clean.ToString();
    }

    /// <summary>JSON, in which characters may be escaped as well.</summary>
    public static string CleanJson(string json)
    {
        json = Clean(json);
        if (!json.Contains("\\u", StringComparison.Ordinal))
        {
            return json;
        }

        var clean = new StringBuilder(json);
        for (var i = 0; i < json.Length - 1; i++)
        {
            if (json[i] != '\\')
            {
                continue;
            }

            if (!TryReadEscape(json, i, out var character))
            {
                i++; // another escape, of one character
            }
            else if (char.IsHighSurrogate(character) && TryReadEscape(json, i + EscapeLength, out var next) && char.IsLowSurrogate(next))
            {
                i += (2 * EscapeLength) - 1;
            }
            else
            {
                if (character == '\0' || char.IsSurrogate(character))
                {
                    clean.Replace(json.Substring(i, EscapeLength), "\\ufffd", i, EscapeLength);
                }

                i += EscapeLength - 1;
            }
        }

        return clean.ToString();
    }

    private static bool TryReadEscape(string json, int start, out char character)
    {
        character = default;
        if (
            start + EscapeLength > json.Length
            || json[start] != '\\'
            || json[start + 1] != 'u'
            || !ushort.TryParse(json.AsSpan(start + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
        )
        {
            return false;
        }

        character = (char)code;
        return true;
    }
}
