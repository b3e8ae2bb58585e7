using System;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// libLibTorchSharp.so asks for the symbol version GLIBCXX_3.4.32 (GCC 13), which Debian 12 and Ubuntu 22.04 lack. Its only symbol,
/// _ZSt21ios_base_library_initv, is a marker for the linker that nothing calls, so the requirement may be marked weak: bit 2 of
/// vna_flags of its entry in .gnu.version_r. Done on the copy in the output folder, only where the host needs it, and only once.
/// </summary>
public sealed class WeakenGlibcxxRequirement : Task
{
    private const string Version = "GLIBCXX_3.4.32";
    private const ushort WeakFlag = 0x2;
    private const uint GnuVersionNeedSection = 0x6ffffffe;

    public string Library { get; set; }

    public override bool Execute()
    {
        if (HostHasVersion())
        {
            return true;
        }

        var image = File.ReadAllBytes(Library);
        var flags = FindVersionFlags(image);
        if (flags < 0 || (BitConverter.ToUInt16(image, flags) & WeakFlag) != 0)
        {
            return true;
        }

        image[flags] |= (byte)WeakFlag;
        ReplaceFile(image);
        Log.LogMessage(
            MessageImportance.High,
            "{0}: marked the {1} requirement weak, because this host's libstdc++ is older than GCC 13",
            Library,
            Version
        );
        return true;
    }

    private static bool HostHasVersion()
    {
        var folders = new[] { "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib" };
        var library = folders.Select(folder => Path.Combine(folder, "libstdc++.so.6")).FirstOrDefault(File.Exists);
        return library == null || Encoding.ASCII.GetString(File.ReadAllBytes(library)).Contains(Version);
    }

    /// <summary>The offset of vna_flags (ELF64, little endian), or -1 if nothing asks for the version.</summary>
    private static int FindVersionFlags(byte[] image)
    {
        var sections = (int)BitConverter.ToInt64(image, 0x28);
        int sectionSize = BitConverter.ToUInt16(image, 0x3A),
            sectionCount = BitConverter.ToUInt16(image, 0x3C);
        for (var i = 0; i < sectionCount; i++)
        {
            var header = sections + (i * sectionSize);
            if (BitConverter.ToUInt32(image, header + 4) != GnuVersionNeedSection)
            {
                continue;
            }

            var strings = (int)BitConverter.ToInt64(image, sections + (BitConverter.ToInt32(image, header + 0x28) * sectionSize) + 0x18);
            var need = (int)BitConverter.ToInt64(image, header + 0x18);
            for (var needCount = BitConverter.ToInt32(image, header + 0x2C); needCount > 0; needCount--)
            {
                var entry = need + BitConverter.ToInt32(image, need + 8);
                for (int left = BitConverter.ToUInt16(image, need + 2); left > 0; left--)
                {
                    if (ReadName(image, strings + BitConverter.ToInt32(image, entry + 8)) == Version)
                    {
                        return entry + 4;
                    }

                    entry += BitConverter.ToInt32(image, entry + 12);
                }

                need += BitConverter.ToInt32(image, need + 12);
            }
        }

        return -1;
    }

    private static string ReadName(byte[] image, int offset)
    {
        return Encoding.ASCII.GetString(image, offset, Array.IndexOf(image, (byte)0, offset) - offset);
    }

    /// <summary>
    /// A new file takes the old one's place: the old one may be a hard link into the package cache, which must stay as it is.
    /// </summary>
    private void ReplaceFile(byte[] image)
    {
        var time = File.GetLastWriteTimeUtc(Library);
        var temporary = Library + ".weak";
        File.WriteAllBytes(temporary, image);
        File.SetLastWriteTimeUtc(temporary, time);
        File.Delete(Library);
        File.Move(temporary, Library);
    }
}
