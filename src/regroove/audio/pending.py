"""Files that appear under their final name only when they are complete."""

import os
import tempfile
from pathlib import Path
from types import TracebackType

from regroove.errors import AudioError


class PendingFile:
    """A temporary file beside its final name: moved into place on success, removed on any exception.

    As a context manager it gives the temporary path to write to.

    Raises:
        AudioError: the folder is missing or cannot be written, or the final name exists without ``overwrite``.

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
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".part")
        except OSError as error:
            raise AudioError(f"{path} cannot be written: {_reason(error)}.") from error
        self.temporary = Path(name)
        # mkstemp makes private files; the final one should have the user's usual permissions.
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        os.close(handle)

    def _refuse_existing(self) -> None:
        if self.path.is_dir():
            raise AudioError(f"{self.path} is a directory.")
        if self.path.exists() and not self.overwrite:
            raise AudioError(f"{self.path} exists already and is only replaced when overwriting is asked for.")

    def commit(self) -> None:
        """Force the content to disk and move it to its final name."""
        try:
            with self.temporary.open("rb+") as file:
                os.fsync(file.fileno())
            self._refuse_existing()
            os.replace(self.temporary, self.path)
        except OSError as error:
            raise AudioError(f"{self.path} cannot be written: {_reason(error)}.") from error

    def write_text(self, text: str) -> None:
        """Make ``text`` the content, in UTF-8."""
        try:
            self.temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise AudioError(f"{self.path} cannot be written: {_reason(error)}.") from error

    def discard(self) -> None:
        """Remove the temporary file if it is still there."""
        self.temporary.unlink(missing_ok=True)

    def __enter__(self) -> "PendingFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.discard()


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
