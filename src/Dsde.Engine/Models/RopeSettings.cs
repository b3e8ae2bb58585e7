using System.Text.Json;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models;

/// <summary>Reads base and scaling of the rotary embedding.</summary>
internal static class RopeSettings
{
    /// <summary>Older files hold the base at the top, newer ones beside the kind of scaling, under either name.</summary>
    public static (double Theta, RopeScaling? Scaling) Read(JsonSettings config, double defaultTheta)
    {
        RefusePartial(config);
        var theta = config.PositiveNumber("rope_theta");
        RopeScaling? scaling = null;
        foreach (var key in (string[])["rope_parameters", "rope_scaling"])
        {
            if (config.Section(key) is { } rope)
            {
                RefusePartial(rope);
                RefuseByLayer(config, key, rope);
                theta = rope.PositiveNumber("rope_theta") ?? theta;
                scaling = ReadScaling(config, key, rope) ?? scaling;
            }
        }

        return (theta ?? defaultTheta, scaling);
    }

    private static void RefusePartial(JsonSettings settings)
    {
        if (settings.PositiveNumber("partial_rotary_factor") is not (null or 1))
        {
            throw settings.Unsupported("partial_rotary_factor", settings.Find("partial_rotary_factor")!.Value, "1");
        }
    }

    /// <summary>
    /// Newer files may have settings of each kind of layer under its name; read as one they would be taken for the default.
    /// </summary>
    private static void RefuseByLayer(JsonSettings config, string key, JsonSettings rope)
    {
        if (rope.Entries().Any(entry => entry.Value.ValueKind == JsonValueKind.Object))
        {
            throw config.Unsupported(key, config.Find(key)!.Value, "one object for all layers");
        }
    }

    private static RopeScaling? ReadScaling(JsonSettings config, string key, JsonSettings rope) =>
        (rope.String("rope_type") ?? rope.String("type")) switch
        {
            null or "default" => null,
            "linear" => new RopeScaling(RopeScalingKind.Linear, rope.RequiredPositiveNumber("factor")),
            "llama3" => ReadLlama3(config, key, rope),
            _ => throw config.Unsupported(
                key,
                config.Find(key)!.Value,
                "null, or an object whose \"rope_type\" is \"default\", \"linear\" or \"llama3\""
            ),
        };

    private static RopeScaling ReadLlama3(JsonSettings config, string key, JsonSettings rope)
    {
        var scaling = new RopeScaling(RopeScalingKind.Llama3, rope.RequiredPositiveNumber("factor"))
        {
            LowFrequencyFactor = rope.RequiredPositiveNumber("low_freq_factor"),
            HighFrequencyFactor = rope.RequiredPositiveNumber("high_freq_factor"),
            OriginalContextLength = rope.RequiredPositiveInt("original_max_position_embeddings"),
        };
        return scaling.HighFrequencyFactor > scaling.LowFrequencyFactor
            ? scaling
            : throw config.Unsupported(key, config.Find(key)!.Value, "a \"high_freq_factor\" above \"low_freq_factor\"");
    }
}
