"""What a process leaves that was killed is removed by the next one; what is still needed is left alone."""

import os
import subprocess
import sys
from pathlib import Path

from regroove.pending import hidden_folder, remove_leftovers

KILLED = """
import os, signal, sys
from pathlib import Path
from regroove.pending import hidden_folder
with hidden_folder(Path(sys.argv[1])) as folder:
    (folder / "big.wav").write_bytes(bytes(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_of_a_process_that_was_killed_is_removed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    assert left.is_dir() and left.name.startswith(".regroove-")
    with hidden_folder(tmp_path) as mine:
        assert list(tmp_path.iterdir()) == [mine]
        remove_leftovers.cache_clear()
        remove_leftovers(tmp_path)
        assert mine.is_dir()
    assert os.listdir(tmp_path) == []
