"""The output folder, and how many workers this machine has room for."""

import os
from pathlib import Path

from regroove.archive.journal.filesystems import ignores_case, network_type
from regroove.archive.sources.output_names import shown
from regroove.archive.workers.local import usable_cores
from regroove.errors import ArchiveError

# An engine works on two blocks at a time, a thread each: cores beyond two are of more use to another recording.
CORES_EACH = 2
# What a restoration takes at most, see "Bounded" in the README.
WORKER_BYTES = 1.2e9


def prepare_folder(folder: Path, *, shared_ok: bool, dry: bool = False) -> bool:
    """Make the output folder; returns whether its file system takes ``A`` and ``a`` for one name.

    Nothing is made for a ``dry`` run; names are then told apart.

    Raises:
        ArchiveError: it cannot be made or written, or is on a network file system without ``shared_ok``.
    """
    if dry and not folder.is_dir():
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kind = network_type(folder)
        if kind and not shared_ok:
            raise ArchiveError(
                f"{shown(folder)} is on a network file system ({kind}), where locks are not to be relied on; name a "
                "folder on a disk of this machine, or give --shared-ok if no other machine writes there."
            )
        return False if dry else ignores_case(folder)
    except OSError as error:
        raise ArchiveError(f"{shown(folder)} cannot be written: {(error.strerror or str(error)).lower()}.") from error


def default_workers() -> int:
    """How many workers suit this machine: one for two cores, as far as its memory goes.

    >>> default_workers() >= 1
    True
    """
    try:
        memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return max(usable_cores() // CORES_EACH, 1)
    return max(min(usable_cores() // CORES_EACH, int(memory // WORKER_BYTES)), 1)
