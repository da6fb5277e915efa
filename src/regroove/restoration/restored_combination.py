"""Transfers combined and restored at once: the combination is a file that is not kept."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from regroove.audio.formats import LOSSY, container_for
from regroove.pending import PendingFile, hidden_folder
from regroove.restoration.combination import Combination
from regroove.restoration.progress import Callback
from regroove.restoration.restorer import Restoration, Restorer


def restore_combination(
    combine: Callable[[dict[str, Path]], Combination],
    restorer: Restorer,
    paths: dict[str, Path],
    *,
    headroom: str,
    remove_offset: bool,
    mono: bool,
    overwrite: bool,
    progress: Callback | None = None,
) -> tuple[Combination, Restoration]:
    """Make the files of a restored combination: what combining, and restoring what was combined, would make.

    Args:
        combine: combines to the paths that it gets, as :func:`~regroove.restoration.combination.combine_files` does.
        restorer: restores what was combined.
        paths: by role: those of a restoration, and ``picture``, where the combination's is wanted.
        headroom: of the restoration, as all that follows.
        remove_offset: as :meth:`~regroove.restoration.restorer.Restorer.restore_file` has it, as all that follows.
        mono: whether the output has one channel.
        overwrite: whether existing files are replaced.
        progress: gets that of the restoration.

    Raises:
        AudioError: an output cannot be written.
    """
    output = paths["output"]
    with ExitStack() as stack:
        # Beside the output: there is room for it.
        folder = stack.enter_context(hidden_folder(output.parent))
        # What loses something does so once.
        name = output.name if container_for(output) not in LOSSY else f"{output.stem}.wav"
        between = {"output": folder / name}
        if "picture" in paths:
            picture = stack.enter_context(PendingFile(paths["picture"], overwrite=overwrite))
            between["report"] = folder / "picture.png"
        made = combine(between)
        pictures = {role: path for role, path in paths.items() if role == "picture" and not made.failed}
        done = restorer.restore_file(
            between["output"],
            output,
            residual=paths.get("residual"),
            report=paths.get("report"),
            uncertainty=paths.get("uncertainty"),
            headroom=headroom,
            remove_offset=remove_offset,
            mono=mono,
            overwrite=overwrite,
            origin=replace(made.origin, paths={**made.origin.paths, **pictures}),
            progress=progress,
        )
        if pictures:
            shutil.copyfile(between["report"], picture.temporary)
        elif "picture" in paths:
            picture.give_up()
    return made, done
