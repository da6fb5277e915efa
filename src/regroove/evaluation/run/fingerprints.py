"""What results depend on, as text that changes when they may change: source files and the packages' versions."""

import ast
import hashlib
from collections.abc import Collection, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).parents[2]
# Everything that computes samples or scores.
_PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "torch", "visqol-python", "zimtohrli")


def code_files(module: str, *, leaves: Collection[str] = ()) -> list[Path]:
    """The files of ``module`` and of what it imports from this package, in functions too, in alphabetical order.

    Args:
        module: its full name.
        leaves: modules whose own imports are not followed.

    >>> [file.name for file in code_files("regroove.evaluation.metrics.snr")]
    ['errors.py', 'signals.py', 'snr.py']
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _file(name)
        if file is None or name in found:
            continue
        found[name] = file
        if name not in leaves:
            waiting.extend(_imports(file))
    return sorted(found.values())


@cache
def code_hash(module: str, *, leaves: frozenset[str] = frozenset()) -> str:
    """A hash of all :func:`code_files`; it does not depend on the process or on where the package is.

    >>> len(code_hash("regroove.errors"))
    64
    """
    digest = hashlib.sha256()
    for file in code_files(module, leaves=leaves):
        digest.update(f"{file.relative_to(_ROOT).as_posix()}\n".encode() + file.read_bytes())
    return digest.hexdigest()


@cache
def package_versions() -> str:
    """Name and version of every package that computes samples or scores.

    >>> "numpy " in package_versions()
    True
    """
    return ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def _file(module: str) -> Path | None:
    first, *rest = module.split(".")
    if first != _ROOT.name:
        return None
    path = _ROOT.joinpath(*rest)
    return next((f for f in (path.with_suffix(".py") if rest else path, path / "__init__.py") if f.is_file()), None)


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # A name may be a module; what is none has no file.
            yield from (f"{node.module}.{name.name}" for name in node.names)
