"""What results depend on, as text that changes when they may change: source files and the packages' versions."""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).parents[1]
# Everything that computes samples or scores.
_PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "torch", "visqol-python", "zimtohrli")


def code_files(module: str) -> dict[str, Path]:
    """The files of ``module`` and of what it imports, in functions too, by the modules' names in alphabetical order.

    Imports are followed in this package and, for somebody else's module (which is imported already), in its own.

    >>> list(code_files("regroove.evaluation.metrics.signals"))
    ['regroove.errors', 'regroove.evaluation.metrics.signals']
    """
    roots = {_ROOT.name: _ROOT}
    top = module.partition(".")[0]
    if top not in roots and getattr(sys.modules.get(top), "__file__", None):
        file = Path(str(sys.modules[top].__file__))
        roots[top] = file.parent if file.stem == "__init__" else file.with_suffix("")
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file(name, roots)
        if path is not None and name not in found:
            found[name] = path
            waiting.extend(_imports(path, name))
    return dict(sorted(found.items()))


@cache
def code_hash(module: str) -> str:
    """A hash of all :func:`code_files`; it does not depend on the process or on where the packages are.

    >>> len(code_hash("regroove.errors"))
    64
    """
    digest = hashlib.sha256()
    for name, file in code_files(module).items():
        digest.update(f"{name}\n".encode() + file.read_bytes())
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


def _file(module: str, roots: dict[str, Path]) -> Path | None:
    first, *rest = module.split(".")
    if first not in roots:
        return None
    path = roots[first].joinpath(*rest)
    return next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()), None)


def _imports(file: Path, module: str) -> Iterator[str]:
    package = module if file.stem == "__init__" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            home = ".".join([*above, *filter(None, [node.module])])
            yield home
            # A name may be a module; what is none has no file.
            yield from (f"{home}.{name.name}" for name in node.names)
