namespace Dsde.Engine.Models.Files;

/// <summary>Where one tensor lies in a safetensors file.</summary>
/// <param name="DataType">Type of its elements.</param>
/// <param name="Shape">Its dimensions, outermost first; empty for a scalar.</param>
/// <param name="Offset">Bytes from the start of the file; old writers did not care for multiples of the element's size.</param>
/// <param name="ByteLength">Bytes it takes.</param>
internal sealed record SafetensorsEntry(SafetensorsDataType DataType, IReadOnlyList<long> Shape, long Offset, long ByteLength);
