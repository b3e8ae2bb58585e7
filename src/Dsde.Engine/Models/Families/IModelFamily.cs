using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models.Families;

/// <summary>
/// A model family: which of the decoder's features its checkpoints use. A new one is a class of this kind and its line in
/// <see cref="ModelFamilies"/>.
/// </summary>
internal interface IModelFamily
{
    /// <summary>The name people know it by.</summary>
    string Name { get; }

    /// <summary>What <c>architectures</c> in <c>config.json</c> calls it.</summary>
    string Architecture { get; }

    /// <summary>The family's name in <c>model_type</c>.</summary>
    string ModelType { get; }

    /// <summary>What Hugging Face's configuration class of the family takes where <c>config.json</c> leaves a key out.</summary>
    FamilyDefaults Defaults { get; }

    /// <summary>Adds to the settings that all families share what only this one has.</summary>
    /// <param name="settings">The file.</param>
    /// <param name="common">What was read of it so far.</param>
    /// <exception cref="ModelLoadException">A setting changes the computation in a way that is not implemented.</exception>
    ModelConfig Complete(JsonSettings settings, ModelConfig common);
}
