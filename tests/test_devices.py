"""What the processor can do is what the system says of it."""

import platform
from pathlib import Path

import pytest

from regroove.devices import has_bfloat16

CPUINFO = Path("/proc/cpuinfo")


@pytest.mark.skipif(not CPUINFO.exists() or platform.machine() != "x86_64", reason="asks Linux about x86 processors")
def test_bfloat16_is_used_where_the_processor_has_instructions_for_it() -> None:
    flags = CPUINFO.read_text().split()
    assert has_bfloat16("cpu") == ("avx512_bf16" in flags or "amx_tile" in flags)
