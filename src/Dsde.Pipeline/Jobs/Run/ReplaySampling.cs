using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>Chooses the jobs whose outputs are surveyed: by their ids, so that a job that is run again is chosen again.</summary>
internal static class ReplaySampling
{
    /// <summary>Whether a job is one of them. <paramref name="share"/>: of all jobs, 0 to 1.</summary>
    public static bool Takes(Guid jobId, double share) =>
        share > 0 && BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(jobId.ToByteArray())) < share * (1L << 32);
}
