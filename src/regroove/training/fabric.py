"""One device or several: where training runs, through Lightning Fabric."""

import logging
import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from regroove.devices import resolve_device
from regroove.errors import MissingDependencyError, RegrooveError, SettingsError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Result = TypeVar("Result")


def make_fabric(*, device: str, devices: int) -> "Fabric":
    """A Fabric for ``devices`` processes, each with its own device of the kind of ``device``.

    Several processes of ``cpu`` share the processor.

    Raises:
        SettingsError: there are not as many devices.
        MissingDependencyError: Lightning Fabric is not installed.
    """
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments import LightningEnvironment
        from lightning_fabric.strategies import DDPStrategy
    except ImportError as error:
        raise MissingDependencyError("Training needs Lightning Fabric: pip install 'regroove[train]'.") from error
    _quiet()
    kind, _, number = resolve_device(device).partition(":")
    there = {"cpu": devices, "cuda": torch.cuda.device_count()}.get(kind, 1)
    if not 1 <= devices <= there or (devices > 1 and number):
        raise SettingsError(f"Training on {devices} devices needs as many; the device {device} gives {there}.")
    chosen: int | list[int] = [int(number)] if number else devices
    strategy = DDPStrategy(start_method="spawn") if devices > 1 else "auto"
    # Naming the environment keeps Fabric from guessing one on a cluster's node.
    return Fabric(accelerator=kind, devices=chosen, strategy=strategy, plugins=[LightningEnvironment()])


def launch(work: Callable[["Fabric"], Result], *, device: str, devices: int) -> Result:
    """Call ``work`` in this process, or in one process for each of several devices; returns what the first one gives.

    Args:
        work: for several devices, something that can be pickled.

    Raises:
        RegrooveError: what any of the processes raised, or that one of them was killed.
    """
    fabric = make_fabric(device=device, devices=devices)
    if devices == 1:
        return fabric.launch(_InOneProcess(work))
    from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

    # What ends one process ends the others, and that is told by the error; torch would also log it.
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    spawn = multiprocessing.get_context("spawn")
    results, errors = spawn.SimpleQueue(), spawn.SimpleQueue()
    before = set(multiprocessing.active_children())
    try:
        fabric.launch(_InItsProcess(work, results, errors))
        return results.get()
    except (ProcessRaisedException, ProcessExitedException) as error:
        if not errors.empty():
            raise errors.get() from error
        if isinstance(error, ProcessRaisedException):
            raise
        raise RegrooveError(f"Training process {error.error_index} was killed.") from error
    finally:
        # They would go on after a signal that ended this one.
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()


@dataclass(frozen=True)
class _InOneProcess:
    work: Callable[["Fabric"], Any]

    def __call__(self, fabric: "Fabric") -> Any:
        try:
            return self.work(fabric)
        except RuntimeError as error:
            # A GPU has an error of its own for this; the processor's allocator only has words.
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise SettingsError(
                    "The device has too little memory: try a smaller batch or checkpointing."
                ) from error
            raise


@dataclass(frozen=True)
class _InItsProcess:
    """Tells results and errors as objects: Fabric takes the first apart, and errors arrive elsewhere as text."""

    work: Callable[["Fabric"], Any]
    results: Any
    errors: Any

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The first thing that happens in a new process: afterwards Fabric has announced itself already.
        _quiet()
        self.__dict__.update(state)

    def __call__(self, fabric: "Fabric") -> None:
        try:
            result = _InOneProcess(self.work)(fabric)
        except Exception as error:
            self.errors.put(error if isinstance(error, RegrooveError) else RuntimeError(traceback.format_exc()))
            # The others wait for this process. The interpreter does not always end while threads of gloo run.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)
        if fabric.is_global_zero:
            self.results.put(result)


def _quiet() -> None:
    import lightning_fabric

    logging.getLogger(lightning_fabric.__name__).setLevel(logging.WARNING)
