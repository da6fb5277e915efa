"""What the output folder lies on: whether locks hold there, and whether letters' cases differ."""

import secrets
from contextlib import suppress
from pathlib import Path

# Types of file systems, as Linux names them, that other machines reach too: locks are not to be relied on there.
_NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "coda",
        "glusterfs",
        "lustre",
        "beegfs",
        "gpfs",
        "gfs2",
    }
    | {"ocfs2", "orangefs", "pvfs2", "virtiofs", "vboxsf", "vmhgfs", "prl_fs", "davfs", "afpfs"}
)
# Of those that programs provide (FUSE), these are disks of this machine.
_LOCAL_FUSE = frozenset({"fuseblk", "fuse.ntfs-3g", "fuse.exfat", "fuse.mergerfs", "fuse.bindfs"})


def network_type(folder: Path) -> str | None:
    """The type of the network file system that a folder is on, or None where its disk is this machine's.

    Only Linux says; elsewhere a disk is taken for a local one.
    """
    kind = mounted_type(folder, _mounts())
    fuse = kind.startswith("fuse") and kind not in _LOCAL_FUSE
    return kind if fuse or kind in _NETWORK else None


def mounted_type(folder: Path, mounts: str) -> str:
    """The type of the file system that a folder is on, by the text of ``/proc/self/mountinfo``; empty if unknown.

    >>> mounts = "1 0 8:1 / / rw - ext4 /dev/sda rw\\n2 1 0:9 / /mnt/my\\\\040nas rw shared:1 - nfs4 nas:/ rw\\n"
    >>> mounted_type(Path("/mnt/my nas/box"), mounts), mounted_type(Path("/mnt"), mounts)
    ('nfs4', 'ext4')
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, behind = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not behind:
            continue
        point = Path(fields[4].encode("ascii", "replace").decode("unicode_escape"))
        # Of two on one point the later one is on top.
        if folder.resolve().is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), behind.split()[0]
    return kind


def ignores_case(folder: Path) -> bool:
    """Whether a folder takes ``A`` and ``a`` for one name: it is tried."""
    probe = folder / f".regroove-case-{secrets.token_hex(6)}"
    probe.touch()
    try:
        return probe.with_name(probe.name.upper()).exists()
    finally:
        with suppress(OSError):
            probe.unlink()


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
