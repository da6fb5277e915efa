"""Receipts against their published JSON Schema.

Only the words that the schema uses are known: ``type``, ``const``, ``required``, ``properties``, ``items``,
``pattern``, ``minimum`` and references within it. What validators know besides is not needed to read a receipt.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("receipt.schema.json")
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


def faults_of(receipt: object) -> list[str]:
    """What is wrong with a receipt, each in a few words with the place; empty where nothing is.

    >>> faults_of({"receipt": 1, "run": {}})[0]
    'the receipt has no result'
    """
    return list(_faults(receipt, _schema(), "the receipt"))


@cache
def _schema() -> dict[str, Any]:
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def _faults(value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = _schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    if "const" in schema and value != schema["const"]:
        yield f"{where} is not {schema['const']}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{where} is no {' or '.join(kinds)}"
        return
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{where} is malformed"
    if isinstance(value, int | float) and value < schema.get("minimum", value):
        yield f"{where} is below {schema['minimum']}"
    if isinstance(value, dict):
        yield from (f"{where} has no {name}" for name in schema.get("required", ()) if name not in value)
        for name, part in schema.get("properties", {}).items():
            if name in value:
                yield from _faults(
                    value[name], part, f"{where}'s {name}" if where == "the receipt" else f"{where}.{name}"
                )
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from _faults(item, schema["items"], f"an item of {where}")


def _is(value: Any, kind: str) -> bool:
    # In Python, True is a number.
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
