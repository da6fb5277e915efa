"""Starting the command line: quickly, and without what only the work itself needs."""

import subprocess
import sys

import pytest

import regroove
from regroove.cli.main import COMMANDS

HEAVY = ("torch", "scipy", "PIL", "matplotlib", "soundfile")


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


_MODULES = f"""
import sys
from regroove import cli
sys.argv[0] = "regroove"
try:
    cli.main()
finally:
    print("loaded:", *(name for name in {HEAVY!r} if name in sys.modules))
"""


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), (), ("restore", "--help"), ("restore", "--bogus")])
def test_help_and_usage_errors_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    done = run_python(_MODULES, *arguments)
    assert done.stdout.splitlines()[-1] == "loaded:"
    assert done.returncode == (0 if arguments and arguments[-1] in ("--help", "--version") else 2)


def test_help_lists_every_command() -> None:
    done = subprocess.run([sys.executable, "-m", "regroove", "--help"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for name, (_, summary) in COMMANDS.items():
        assert name in done.stdout
        assert summary in done.stdout


def test_version() -> None:
    done = subprocess.run([sys.executable, "-m", "regroove", "--version"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"regroove {regroove.__version__}\n", "")


def test_importing_the_package_imports_nothing_heavy() -> None:
    done = run_python(f"import sys, regroove; print([n for n in {HEAVY!r} if n in sys.modules], *dir(regroove))")
    assert done.stdout == f"[] {' '.join(sorted(regroove.__all__))}\n"


def test_restoring_imports_no_more_of_scipy_than_it_needs() -> None:
    code = """
import sys
import regroove
import numpy as np
regroove.restore(np.zeros(4096, dtype=np.float32), sample_rate=44_100)
from regroove.restoration.results import file_results
print([name for name in ("scipy.signal", "scipy.stats", "scipy.interpolate", "matplotlib") if name in sys.modules])
"""
    assert run_python(code).stdout == "[]\n"


def test_every_public_name_is_there() -> None:
    assert [name for name in dir(regroove) if not getattr(regroove, name).__doc__] == []
    for task in ("declip", "extend", "generate", "inpaint", "restore", "retrieve", "sense"):
        assert callable(getattr(regroove, task))
    with pytest.raises(AttributeError, match="nothing_such"):
        regroove.nothing_such  # noqa: B018
