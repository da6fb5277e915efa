"""Which model files a plan's restoration reads, and their hashes: another model is another result."""

from functools import cache
from pathlib import Path

from regroove.archive.plans.plan import Plan
from regroove.errors import ModelError
from regroove.networks.bundled import find_model
from regroove.restoration.results.receipts import sha256_of
from regroove.restoration.settings import RestoreSettings


def model_hashes(settings: RestoreSettings) -> dict[str, str]:
    """The SHA-256 of each model file that a restoration may read, by what it is for.

    Raises:
        ModelError: there is no such model.

    >>> sorted(model_hashes(RestoreSettings())), sorted(model_hashes(RestoreSettings(engine="wiener")))
    (['network', 'noise'], ['noise'])
    """
    # The published method has its own way to find the level of the noise.
    files = {} if settings.engine == "cqtdiff" else {"noise": find_model("noise")}
    model = getattr(settings.own, "chosen_model", None)
    if model is not None:
        files["network"] = find_model(model)
    return {role: _hash(path, path.stat().st_mtime_ns) for role, path in files.items()}


def check_model(plan: Plan) -> None:
    """Whether the model of a receipt is the one that its settings name here.

    Raises:
        ModelError: it is another.
    """
    if plan.model_sha256 is None:
        return
    if model_hashes(plan.restore).get("network") != plan.model_sha256:
        raise ModelError(
            f"The receipt was made with another model than {plan.restore.own.chosen_model} is here; name its file or "
            "install the version of regroove that the receipt names."
        )


@cache
def _hash(path: Path, changed: int) -> str:
    """Read once for each state of the file."""
    return sha256_of(path)
