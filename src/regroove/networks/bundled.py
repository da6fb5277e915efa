"""Where models are: those that come with the package, by name or role, and others by their paths.

Nothing is loaded here, so that a command can say that there is no such model before torch is imported.
"""

from pathlib import Path

from regroove.errors import ModelError

BUNDLED = Path(__file__).parents[1] / "models"
# What bundled models are for; a text file for each names its model.
ROLES = ("default", "fast", "noise")


def list_models() -> list[str]:
    """Names of the bundled models.

    >>> "default" in list_models()
    False
    """
    return sorted(path.stem for path in BUNDLED.glob("*.safetensors"))


def bundled_model(role: str) -> str:
    """Name of the bundled model that has a role: ``default``, ``fast``, or ``noise``, the noise estimator.

    Raises:
        ModelError: this installation has none.

    >>> bundled_model("default") in list_models()
    True
    """
    try:
        return (BUNDLED / f"{role}.txt").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ModelError(f"This installation has no {role} model.") from error


def find_model(name_or_path: str | Path) -> Path:
    """The weights file of a bundled model, by its name or role, or of a path ending in .safetensors or .pt.

    Raises:
        ModelError: there is no such file or bundled model.

    >>> find_model("default").suffix
    '.safetensors'
    """
    name = bundled_model(str(name_or_path)) if str(name_or_path) in ROLES else str(name_or_path)
    path = Path(name)
    if path.suffix in (".safetensors", ".pt"):
        if not path.is_file():
            raise ModelError(f"There is no model file {path}.")
        return path
    if name not in list_models():
        known = ", ".join(list_models())
        raise ModelError(f"There is no model {name!r}; bundled are {known}, others end in .safetensors or .pt.")
    return BUNDLED / f"{name}.safetensors"
