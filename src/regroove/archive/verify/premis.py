"""The history of restored files as PREMIS 3 (Data Dictionary for Preservation Metadata, Library of Congress, 2015).

Each recording and each restored file is an object with its fixity; each restoration is an event *creation*, with the
recording as source and the outputs as outcome; each verification is an event *fixity check*; regroove, in the version
that did it, is the agent.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from regroove.archive.journal.journal import Journal
from regroove.archive.journal.records import FileFacts, Record, State
from regroove.archive.sources.output_names import shown
from regroove.archive.verify.check import Verification
from regroove.errors import ArchiveError
from regroove.pending import PendingFile
from regroove.version import __version__

NAMESPACE = "http://www.loc.gov/premis/v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_HEAD = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<premis xmlns="{NAMESPACE}" xmlns:xsi="{_XSI}" version="3.0"'
    f' xsi:schemaLocation="{NAMESPACE} https://www.loc.gov/standards/premis/premis.xsd">\n'
)
# Identifiers are derived from what they stand for, so that a second export names the same things alike.
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:regroove:premis")
# What was written, as a format's name; the endings are those of files that are written.
_FORMATS = {
    ".wav": "WAVE",
    ".flac": "FLAC",
    ".aif": "AIFF",
    ".aiff": "AIFF",
    ".ogg": "Ogg Vorbis",
    ".mp3": "MPEG Layer 3",
}
_OTHER_FORMATS = {".json": "JSON", ".png": "PNG", ".npz": "NumPy"}


def write_premis(folder: Path, result: Verification, path: Path, *, when: datetime | None = None) -> None:
    """Write one document about all recordings that are done; what is in memory at a time is one of them.

    Args:
        folder: the output folder.
        result: what a verification of it gave.
        when: the time of the verification; now if None.

    Raises:
        AudioError: it cannot be written.
        ArchiveError: there is no journal, or nothing is done yet.
    """
    moment = when or datetime.now(UTC)
    versions = {__version__}
    with Journal(folder, create=False) as journal, ExitStack() as stack:
        if not journal.count(State.DONE):
            raise ArchiveError(f"Nothing is done yet in {shown(folder)}, and a PREMIS document has an object at least.")
        pending = stack.enter_context(PendingFile(path, overwrite=True))
        file = stack.enter_context(pending.temporary.open("w", encoding="utf-8"))
        file.write(_HEAD)
        # The schema wants all objects first, then events, then agents.
        for record in journal.records(State.DONE):
            file.writelines(map(_text, _objects(record)))
        for record in journal.records(State.DONE):
            versions.add(record.version or __version__)
            file.write(_text(_creation(record)))
            file.write(_text(_fixity_check(record, result.wrong.get(record.name, ()), moment)))
        file.writelines(_text(_agent(version)) for version in sorted(versions))
        file.write("</premis>\n")


def _objects(record: Record) -> Iterator[Element]:
    if record.source_facts is not None:
        yield _object(record.source_facts, shown(record.source))
    for facts in record.outputs.values():
        yield _object(facts, shown(facts.path))


def _object(facts: FileFacts, name: str) -> Element:
    element = Element("object", {"xsi:type": "file"})
    _identifier(element, "object", _object_id(facts))
    what = SubElement(element, "objectCharacteristics")
    fixity = SubElement(what, "fixity")
    _add(fixity, "messageDigestAlgorithm", "SHA-256")
    _add(fixity, "messageDigest", facts.sha256)
    _add(what, "size", str(facts.size))
    designation = SubElement(SubElement(what, "format"), "formatDesignation")
    suffix = facts.path.suffix.lower()
    _add(designation, "formatName", (_FORMATS | _OTHER_FORMATS).get(suffix, suffix.removeprefix(".") or "unknown"))
    _add(element, "originalName", name)
    return element


def _creation(record: Record) -> Element:
    receipt = record.receipt or {}
    run = receipt.get("run", {})
    finished = run.get("finished") if isinstance(run, dict) else None
    moment = str(finished) if finished else _moment(datetime.fromtimestamp(record.finished or 0, UTC))
    settings = json.dumps(record.plan, ensure_ascii=True, sort_keys=True)
    event = _event("creation", moment, f"{record.name}|{record.recipe}|{moment}")
    detail = SubElement(event, "eventDetailInformation")
    _add(detail, "eventDetail", f"Noise was removed by regroove {record.version}; settings: {settings}")
    _outcome(event, "success", "; ".join(str(flag["sentence"]) for flag in record.flags))
    _linking_agent(event, record.version or __version__)
    if record.source_facts is not None:
        _linking_object(event, record.source_facts, "source")
    for facts in record.outputs.values():
        _linking_object(event, facts, "outcome")
    return event


def _fixity_check(record: Record, problems: tuple[str, ...], when: datetime) -> Element:
    moment = _moment(when)
    event = _event("fixity check", moment, f"{record.name}|fixity|{moment}")
    detail = SubElement(event, "eventDetailInformation")
    _add(detail, "eventDetail", "SHA-256 of recording and outputs compared with the journal's; receipts checked.")
    _outcome(event, "fail" if problems else "pass", " ".join(problems))
    _linking_agent(event, __version__)
    for facts in record.outputs.values():
        _linking_object(event, facts, None)
    return event


def _event(kind: str, moment: str, key: str) -> Element:
    event = Element("event")
    _identifier(event, "event", str(uuid.uuid5(_SPACE, shown(key))))
    _add(event, "eventType", kind)
    _add(event, "eventDateTime", moment)
    return event


def _outcome(event: Element, outcome: str, note: str) -> None:
    part = SubElement(event, "eventOutcomeInformation")
    _add(part, "eventOutcome", outcome)
    if note:
        _add(SubElement(part, "eventOutcomeDetail"), "eventOutcomeDetailNote", note)


def _agent(version: str) -> Element:
    agent = Element("agent")
    _identifier(agent, "agent", f"regroove-{version}")
    _add(agent, "agentName", "regroove")
    _add(agent, "agentType", "software")
    _add(agent, "agentVersion", version)
    return agent


def _identifier(parent: Element, what: str, value: str) -> None:
    part = SubElement(parent, f"{what}Identifier")
    _add(part, f"{what}IdentifierType", "local" if what == "agent" else "UUID")
    _add(part, f"{what}IdentifierValue", value)


def _linking_agent(event: Element, version: str) -> None:
    part = SubElement(event, "linkingAgentIdentifier")
    _add(part, "linkingAgentIdentifierType", "local")
    _add(part, "linkingAgentIdentifierValue", f"regroove-{version}")
    _add(part, "linkingAgentRole", "executing program")


def _linking_object(event: Element, facts: FileFacts, role: str | None) -> None:
    part = SubElement(event, "linkingObjectIdentifier")
    _add(part, "linkingObjectIdentifierType", "UUID")
    _add(part, "linkingObjectIdentifierValue", _object_id(facts))
    if role:
        _add(part, "linkingObjectRole", role)


def _object_id(facts: FileFacts) -> str:
    return str(uuid.uuid5(_SPACE, f"{shown(facts.path)}|{facts.sha256}"))


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = shown(text)


def _text(element: Element) -> str:
    return ElementTree.tostring(element, encoding="unicode") + "\n"


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
