"""CAF files: one whose data chunk says more than there is, is given a size that is right."""

import struct

from regroove.audio.containers.chunks import walk_caf
from regroove.audio.containers.file_bytes import FileBytes
from regroove.audio.containers.links import Layout, Link


def caf_layout(data: FileBytes) -> Layout:
    """The file as it is, or with the size of what is left of its sound."""
    for chunk in walk_caf(data, len(data)):  # type: ignore[arg-type]
        if chunk.tag == b"data" and chunk.size > chunk.present:
            place = chunk.start - 8
            size = struct.pack(">q", chunk.present)
            return Layout(links=(Link(pieces=((0, place), size, (chunk.start, chunk.stop))),), container="CAF")
    return Layout()
