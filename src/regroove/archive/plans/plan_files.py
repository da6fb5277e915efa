"""Plans from files: TOML, a receipt, or one of the bundled plans by its name."""

import json
import tomllib
from pathlib import Path
from typing import Any

from regroove.archive.plans.plan import Plan, check_names, plan_from_json, resolved, settings_in
from regroove.errors import SettingsError

_BUNDLED = Path(__file__).parent
_TABLES = ("about", "restore", "outputs")


def bundled_plans() -> dict[str, str]:
    """The plans that come with the package, and the line about each.

    >>> sorted(bundled_plans())
    ['acoustic', 'cylinder', 'electrical', 'late-78', 'tape']
    """
    return {path.stem: _read_toml(path).about for path in sorted(_BUNDLED.glob("*.toml"))}


def load_plan(name_or_path: str) -> Plan:
    """A bundled plan by its name, a TOML file, or a receipt (JSON), which gives the same bytes again.

    Raises:
        SettingsError: there is none, or something in it is wrong; wrong names are said with the nearest right one.

    >>> load_plan("tape").restore.clicks
    False
    """
    path = Path(name_or_path)
    if path.suffix not in (".toml", ".json"):
        known = [file.stem for file in sorted(_BUNDLED.glob("*.toml"))]
        if name_or_path not in known:
            names = ", ".join(known)
            raise SettingsError(f"There is no plan {path}; bundled are {names}, others end in .toml or .json.")
        path = _BUNDLED / f"{name_or_path}.toml"
    return _read_toml(path) if path.suffix == ".toml" else _read_receipt(path)


def _read_toml(path: Path) -> Plan:
    try:
        found = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {str(error).lower()}.") from error
    try:
        return resolved(_plan(found), folder=path.absolute().parent)
    except SettingsError as error:
        raise SettingsError(f"In {path}: {error}") from error


def _plan(found: dict[str, Any]) -> Plan:
    check_names(found, _TABLES, "table")
    about = found.pop("about", "")
    if not isinstance(about, str):
        raise SettingsError("What a plan is about is text.")
    values: dict[str, object] = {}
    restore = found.get("restore", {})
    engine = str(restore.get("engine", "matched")) if isinstance(restore, dict) else "matched"
    for table, settings in found.items():
        if not isinstance(settings, dict):
            raise SettingsError(f"{table} is a table, [{table}], with settings in it.")
        check_names(settings, settings_in(table, engine=engine), f"setting in [{table}]")
        values |= settings
    return Plan(about=about).changed(**values)


def _read_receipt(path: Path) -> Plan:
    try:
        receipt = json.loads(_text(path))
        result = receipt["result"]
        settings, engine = result["settings"], result["engine"]
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} is not a receipt of a restoration.") from error
    outputs = {
        "residual": "residual" in result,
        "headroom": result.get("headroom", "auto"),
        "remove_offset": result.get("remove_offset", False),
        "mono": result.get("mono", False),
    }
    plan = plan_from_json({"restore": settings, "outputs": outputs})
    return Plan(restore=plan.restore, outputs=plan.outputs, model_sha256=engine.get("model_sha256"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"The plan {path} is not text in UTF-8.") from error
    except OSError as error:
        raise SettingsError(f"The plan {path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
