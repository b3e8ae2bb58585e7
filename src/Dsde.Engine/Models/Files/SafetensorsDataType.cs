namespace Dsde.Engine.Models.Files;

/// <summary>Element types of a safetensors file, named as in its header.</summary>
internal enum SafetensorsDataType
{
    BOOL,
    U8,
    I8,
    F8_E4M3,
    F8_E5M2,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    I64,
    U64,
    F64,
}

/// <summary>Sizes of the element types.</summary>
internal static class SafetensorsDataTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int ByteSize(this SafetensorsDataType type) =>
        type switch
        {
            <= SafetensorsDataType.F8_E5M2 => 1,
            <= SafetensorsDataType.BF16 => 2,
            <= SafetensorsDataType.F32 => 4,
            _ => 8,
        };
}
