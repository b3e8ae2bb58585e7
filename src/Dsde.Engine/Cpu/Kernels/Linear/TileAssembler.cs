using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// Writes kernels as machine code: the instructions for products of bf16 pairs have no binding in .NET, and sums that fill all registers
/// are more than a compiler keeps there. A step takes one vector of weights per block (16 outputs, of each a number or a pair of them) and
/// one number or pair of each row. Every output has one sum, to which steps are added in their order, so that a row's results are the same
/// bits in every tile.
/// </summary>
/// <remarks>
/// Arguments as C on Linux passes them: rdi weights of the first block, rsi activations <c>[step][row]</c>, rdx steps (a multiple of
/// <see cref="Unroll"/>, at least one), rcx bytes from block to block, r8 sums <c>[rows, blocks · 16] f32</c>, which are added to, r9 bytes
/// from row to row of them; on the stack what <see cref="WeightsAhead"/> says.
/// </remarks>
internal sealed class TileAssembler
{
    /// <summary>Steps written out one after the other.</summary>
    public const int Unroll = 4;

    private const int VectorBytes = 64; // of weights of a block in a step
    private const uint UpperHalves = 0xFFFF_0000;

    private readonly Assembler _code = new(64);
    private readonly KernelForm _form;
    private readonly TileShape _tile;
    private readonly VectorCodes _vectors;
    private readonly int _firstWeight; // registers before it hold sums
    private readonly int _activation;
    private readonly int _mask;

    private TileAssembler(KernelForm form, TileShape tile)
    {
        _form = form;
        _tile = tile;
        _vectors = form.VectorBits == 512 ? VectorCodes.Wide : VectorCodes.Narrow;
        _firstWeight = tile.Rows * tile.Blocks * form.VectorsPerBlock;
        _activation = _firstWeight + (tile.Blocks * form.VectorsPerBlock * form.RegistersPerWeight);
        _mask = _activation + 1;
    }

    private bool IsWidened => _form.Weights == WeightForm.Bf16Widened;

    /// <summary>Writes a kernel.</summary>
    public static byte[] Assemble(KernelForm form, TileShape tile)
    {
        if (!form.Fits(tile))
        {
            throw new ArgumentException($"{tile} does not fit into the registers of {form}.", nameof(tile));
        }

        return new TileAssembler(form, tile).Write();
    }

    private byte[] Write()
    {
        _code.lea(rax, __[rcx + (rcx * 2)]);
        if (IsWidened)
        {
            _code.mov(__dword_ptr[rsp - 8], UpperHalves); // below the stack, which nobody else uses meanwhile
            Add(Instruction.Create(_vectors.Broadcast, Vector(_mask), new MemoryOperand(Register.RSP, -8, 1)));
        }

        MoveSums(load: true);
        _code.mov(r10, __[rsp + 8]);
        _code.mov(r11, __[rsp + 16]);
        var loop = _code.CreateLabel();
        _code.Label(ref loop);
        for (var step = 0; step < Unroll; step++)
        {
            WriteStep(step);
        }

        _code.add(rdi, Unroll * VectorBytes);
        _code.add(rsi, Unroll * _tile.Rows * _form.StepBytes);
        _code.add(r10, r11);
        _code.sub(rdx, Unroll);
        _code.jnz(loop);
        MoveSums(load: false);
        _code.vzeroupper();
        _code.ret();

        using var stream = new MemoryStream();
        _code.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }

    private void WriteStep(int step)
    {
        for (var block = 0; block < _tile.Blocks; block++)
        {
            Add(Instruction.Create(Code.Prefetcht0_m8, OfBlock(Register.R10, block, step * VectorBytes)));
            for (var part = 0; part < _form.VectorsPerBlock; part++)
            {
                LoadWeights(step, block, part);
            }
        }

        for (var row = 0; row < _tile.Rows; row++)
        {
            var offset = ((step * _tile.Rows) + row) * _form.StepBytes;
            MultiplyRow(row, offset, second: false);
            if (IsWidened)
            {
                MultiplyRow(row, offset + sizeof(float), second: true);
            }
        }
    }

    private void LoadWeights(int step, int block, int part)
    {
        var weight = WeightRegister(block, part);
        Add(
            Instruction.Create(
                _vectors.Load,
                Vector(weight),
                OfBlock(Register.RDI, block, (step * VectorBytes) + (part * VectorBytes / _form.VectorsPerBlock))
            )
        );
        if (IsWidened)
        {
            Add(Instruction.Create(_vectors.And, Vector(weight + 1), Vector(weight), Vector(_mask)));
            Add(Instruction.Create(_vectors.ShiftLeft, Vector(weight), Vector(weight), 16));
        }
    }

    private void MultiplyRow(int row, int offset, bool second)
    {
        Add(Instruction.Create(_vectors.Broadcast, Vector(_activation), new MemoryOperand(Register.RSI, offset, 1)));
        for (var block = 0; block < _tile.Blocks; block++)
        {
            for (var part = 0; part < _form.VectorsPerBlock; part++)
            {
                var weight = WeightRegister(block, part) + (second ? 1 : 0);
                var multiply = _form.Weights == WeightForm.Bf16Pairs ? Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32 : _vectors.MultiplyAdd;
                Add(Instruction.Create(multiply, Vector(SumRegister(row, block, part)), Vector(weight), Vector(_activation)));
            }
        }
    }

    private void MoveSums(bool load)
    {
        _code.mov(r10, r8);
        for (var row = 0; row < _tile.Rows; row++)
        {
            for (var vector = 0; vector < _tile.Blocks * _form.VectorsPerBlock; vector++)
            {
                var memory = new MemoryOperand(Register.R10, vector * VectorBytes / _form.VectorsPerBlock, 1);
                var register = Vector((row * _tile.Blocks * _form.VectorsPerBlock) + vector);
                Add(load ? Instruction.Create(_vectors.Load, register, memory) : Instruction.Create(_vectors.Store, memory, register));
            }

            if (row < _tile.Rows - 1)
            {
                _code.add(r10, r9);
            }
        }
    }

    private int SumRegister(int row, int block, int part) => (((row * _tile.Blocks) + block) * _form.VectorsPerBlock) + part;

    private int WeightRegister(int block, int part) => _firstWeight + (((block * _form.VectorsPerBlock) + part) * _form.RegistersPerWeight);

    /// <summary>Up to four blocks: at 0, 1, 2 and 3 distances.</summary>
    private static MemoryOperand OfBlock(Register first, int block, int offset) =>
        block switch
        {
            0 => new MemoryOperand(first, offset, 1),
            1 => new MemoryOperand(first, Register.RCX, 1, offset, 1),
            2 => new MemoryOperand(first, Register.RCX, 2, offset, 1),
            _ => new MemoryOperand(first, Register.RAX, 1, offset, 1),
        };

    private Register Vector(int number) => _vectors.First + number;

    private void Add(Instruction instruction) => _code.AddInstruction(instruction);
}
