"""Files that appear under their final name only when they are complete."""

import os
import platform
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType

from regroove.errors import AudioError

try:
    import fcntl
except ImportError:  # Windows has none.
    fcntl = None  # type: ignore[assignment]

_HOST = re.sub(r"[^A-Za-z0-9.]", "", platform.node()) or "host"
_PART = re.compile(r"\.regroove-(?P<host>[^-]+)-(?P<process>\d+)-[0-9a-f]+\.part")


class PendingFile:
    """A file without a name, where the system has such files: it gets its name on success and is gone otherwise.

    Elsewhere it has a hidden name with the machine's and the process's in it; what a process left that was killed is
    removed when the next file is written in that folder. As a context manager it gives the temporary path to write to.

    Raises:
        AudioError: the folder is missing or cannot be written, or the final name exists without ``overwrite``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with PendingFile(Path(folder) / "a.txt") as pending:
    ...         _ = pending.temporary.write_text("done")
    ...     os.listdir(folder)
    ['a.txt']
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self.overwrite = overwrite
        self._refuse_existing()
        remove_leftovers(path.parent.absolute())
        try:
            self._handle, self._named = _nameless(path.parent) or _hidden(path.parent)
        except OSError as error:
            raise AudioError(f"{path} cannot be written: {_reason(error)}.") from error
        # The process's number instead of "self": programs that are started to write there find it too.
        self.temporary = self._named or Path(f"/proc/{os.getpid()}/fd/{self._handle}")
        self._open, self._given_up = True, False

    def _refuse_existing(self) -> None:
        if self.path.is_dir():
            raise AudioError(f"{self.path} is a directory.")
        # A link to nothing is somebody's, too.
        if os.path.lexists(self.path) and not self.overwrite:
            raise AudioError(f"{self.path} exists already and is only replaced when overwriting is asked for.")

    def commit(self) -> None:
        """Force the content to disk and give it its final name."""
        try:
            os.fsync(self._handle)
            self._refuse_existing()
            if self._named or self.overwrite:
                os.replace(self._named or self._linked(), self.path)
                self._named = None
            else:
                _link(self._handle, self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise AudioError(f"{self.path} cannot be written: {_reason(error)}.") from error

    def _linked(self) -> Path:
        """A hidden name for a file that has none, because only a name can replace another."""
        self._named = _hidden_name(self.path.parent)
        _link(self._handle, self._named)
        return self._named

    def write_text(self, text: str) -> None:
        """Make ``text`` the content, in UTF-8; bytes of file names that are none are written as escapes."""
        try:
            self.temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise AudioError(f"{self.path} cannot be written: {_reason(error)}.") from error

    def give_up(self) -> None:
        """Let the file not get its name, though all else goes well."""
        self._given_up = True

    def discard(self) -> None:
        """Remove what has no final name."""
        if self._open:
            os.close(self._handle)
            self._open = False
        if self._named:
            self._named.unlink(missing_ok=True)

    def __enter__(self) -> "PendingFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and not self._given_up:
                self.commit()
        finally:
            self.discard()


@contextmanager
def hidden_folder(parent: Path) -> Iterator[Path]:
    """A folder for what is only needed meanwhile; what a process left that was killed is removed as with files.

    Raises:
        AudioError: the parent cannot be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with hidden_folder(Path(parent)) as folder:
    ...         _ = (folder / "a.txt").write_text("for now")
    ...     os.listdir(parent)
    []
    """
    remove_leftovers(parent.absolute())
    folder = _hidden_name(parent)
    try:
        folder.mkdir()
    except OSError as error:
        raise AudioError(f"{parent} cannot be written to: {_reason(error)}.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def remove_leftovers(folder: Path) -> None:
    """Remove hidden files and folders of this machine's processes that are no more; others are left alone, and so are
    errors.

    Once for each folder and process: folders of collections are long.
    """
    with suppress(OSError):
        for entry in os.scandir(folder):
            match = _PART.fullmatch(entry.name)
            if match and match["host"] == _HOST and not _runs(int(match["process"])):
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    else:
                        _remove_unlocked(Path(entry.path))


def _nameless(folder: Path) -> tuple[int, Path | None] | None:
    """A file without a name, or None where the system or the file system has none."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666), None
    except OSError:
        return None


def _hidden(folder: Path) -> tuple[int, Path]:
    path = _hidden_name(folder)
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o666)
    if fcntl:
        # Process numbers are not unique where containers share a folder; locks end with their process everywhere.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle, path


def _hidden_name(folder: Path) -> Path:
    return folder / f".regroove-{_HOST}-{os.getpid()}-{secrets.token_hex(6)}.part"


def _link(handle: int, path: Path) -> None:
    # Only with a folder's handle does Python follow the link in /proc to the file itself.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{handle}", path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove_unlocked(path: Path) -> None:
    if fcntl:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _sync_folder(folder: Path) -> None:
    """Names outlive a loss of power only when their folder is on disk, too."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
