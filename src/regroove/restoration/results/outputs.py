"""Where results may go: never over the recording, never over each other."""

import os
from pathlib import Path

from regroove.audio.formats import container_for
from regroove.errors import AudioError


def planned_outputs(
    output: str | Path,
    *,
    residual: str | Path | None = None,
    report: str | Path | None = None,
    uncertainty: str | Path | None = None,
    receipt: bool = True,
) -> dict[str, Path]:
    """Every file that a restoration writes, by role.

    >>> list(planned_outputs("a.wav", uncertainty="u.png"))
    ['output', 'uncertainty', 'cells', 'receipt']
    """
    paths = {"output": Path(output)}
    optional = {"residual": residual, "report": report, "uncertainty": uncertainty}
    paths |= {role: Path(path) for role, path in optional.items() if path is not None}
    if uncertainty is not None:
        paths["cells"] = Path(uncertainty).with_suffix(".npz")
    if receipt:
        paths["receipt"] = receipt_path(paths["output"])
    return paths


def receipt_path(output: Path) -> Path:
    """Where the receipt of an output lies.

    >>> receipt_path(Path("side-a.flac")).name
    'side-a.flac.receipt.json'
    """
    return output.parent / (output.name + ".receipt.json")


def check_outputs(source: Path, paths: dict[str, Path], *, overwrite: bool) -> None:
    """Check every output's name before any work is done.

    Args:
        paths: by role: output, residual, report, picture, uncertainty, its cells and receipt, as far as wanted.

    Raises:
        AudioError: an output is the recording itself (by whatever name), another output, or exists without
            ``overwrite``; its folder is missing; its extension is none that can be written.
    """
    for role in ("output", "residual"):
        if role in paths:
            container_for(paths[role])
    for role in ("report", "picture", "uncertainty"):
        if role in paths and paths[role].suffix.lower() != ".png":
            raise AudioError(f"{paths[role]} cannot be written: the name of a picture ends in .png.")
    for role, path in paths.items():
        try:
            _check_one(role, path, source, overwrite)
        except (OSError, RuntimeError) as error:
            # A name that is too long, or symbolic links in a circle.
            reason = getattr(error, "strerror", None) or str(error)
            raise AudioError(f"{path} cannot be written: {reason.lower()}.") from error
    roles = list(paths)
    for i, role in enumerate(roles):
        for other in roles[:i]:
            if same_file(paths[role], paths[other]):
                raise AudioError(f"{paths[role]} cannot be both the {other} and the {role}.")


def _check_one(role: str, path: Path, source: Path, overwrite: bool) -> None:
    if same_file(path, source):
        raise AudioError(f"{path} is the recording itself, which is never changed; name another {role}.")
    if path.is_dir():
        raise AudioError(f"{path} is a directory; name a file for the {role}.")
    # A link to nothing is somebody's, too.
    if os.path.lexists(path) and not overwrite:
        raise AudioError(f"{path} exists already; name another {role} or ask for overwriting.")
    if not path.parent.is_dir():
        raise AudioError(f"{path} cannot be written: the folder {path.parent} does not exist.")
    if not os.access(path.parent, os.W_OK):
        raise AudioError(f"{path} cannot be written: the folder {path.parent} is read-only.")


def same_file(first: Path, second: Path) -> bool:
    """Whether two names are one file, through symbolic and hard links too.

    >>> same_file(Path("a/../b.wav"), Path("b.wav"))
    True
    """
    if first.exists() and second.exists():
        return os.path.samefile(first, second)
    return Path(os.path.normpath(first.absolute())) == Path(os.path.normpath(second.absolute())) or (
        first.resolve() == second.resolve()
    )
