"""How the process asks the system for memory."""

import ctypes
import sys

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Keep memory that was freed for the next block instead of handing it back to the system; on Linux with glibc only.

    Every page that is handed back has to be cleared when it is asked for again, which took much of the time of a
    restoration. The process then stays as large as it once was, which suits a command line and not every program
    that uses the library, so only commands call this.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # Another C library.
    # All threads share what one of them freed; other arenas than the first would fetch large pieces anew.
    mallopt(_ARENA_MAX, 1)
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, _NEVER)
