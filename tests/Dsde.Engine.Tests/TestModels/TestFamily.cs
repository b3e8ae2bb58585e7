namespace Dsde.Engine.Tests.TestModels;

/// <summary>The families whose checkpoints <see cref="TestModelFolder"/> can write.</summary>
public enum TestFamily
{
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
    Gemma2,
}
