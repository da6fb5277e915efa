"""Memory that was freed is kept for the next block."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from regroove.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    [np.ones(1 << 22) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
without = faults()
keep_freed_memory()
faults()
if sys.argv[1] == "main":
    print(without, faults())
else:
    with ThreadPoolExecutor(1) as pool:
        print(without, pool.submit(faults).result())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
@pytest.mark.parametrize("thread", ["main", "another"])
def test_pages_are_not_asked_for_twice(thread: str) -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS, thread], capture_output=True, text=True, check=True)
    without, kept = map(int, done.stdout.split())
    assert kept < 0.25 * without
