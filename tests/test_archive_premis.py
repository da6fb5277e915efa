"""Histories have the structure of PREMIS: which parts a part has, in which order, and how often.

After the PREMIS Data Dictionary 3.0 (Library of Congress, 2015, "Repeatability" and "Obligation" of each unit) and the
order of the schema of 18 January 2016; only units that we write are listed, so anything else is a fault.
"""

import re
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from regroove.archive.journal.journal import Journal
from regroove.archive.journal.records import FileFacts
from regroove.archive.plans.plan import Plan
from regroove.archive.sources.job import Job
from regroove.archive.verify.check import Verification
from regroove.archive.verify.premis import NAMESPACE, write_premis
from regroove.errors import ArchiveError

# As regular expressions over the names of the parts; a comma ends each name.
STRUCTURE = {
    "premis": "(object,)+(event,)*(agent,)*",
    "object": "(objectIdentifier,)+(objectCharacteristics,)+(originalName,)?",
    "objectIdentifier": "objectIdentifierType,objectIdentifierValue,",
    "objectCharacteristics": "(fixity,)*(size,)?(format,)+",
    "fixity": "messageDigestAlgorithm,messageDigest,",
    "format": "formatDesignation,",
    "formatDesignation": "formatName,(formatVersion,)?",
    "event": "eventIdentifier,eventType,eventDateTime,(eventDetailInformation,)*(eventOutcomeInformation,)*"
    "(linkingAgentIdentifier,)*(linkingObjectIdentifier,)*",
    "eventIdentifier": "eventIdentifierType,eventIdentifierValue,",
    "eventDetailInformation": "(eventDetail,)?",
    "eventOutcomeInformation": "eventOutcome,(eventOutcomeDetail,)*",
    "eventOutcomeDetail": "eventOutcomeDetailNote,",
    "linkingAgentIdentifier": "linkingAgentIdentifierType,linkingAgentIdentifierValue,(linkingAgentRole,)*",
    "linkingObjectIdentifier": "linkingObjectIdentifierType,linkingObjectIdentifierValue,(linkingObjectRole,)*",
    "agent": "(agentIdentifier,)+(agentName,)*(agentType,)?(agentVersion,)?",
    "agentIdentifier": "agentIdentifierType,agentIdentifierValue,",
}
# What holds text. A size is a whole number; the rest may be any.
TEXTS = {name for rule in STRUCTURE.values() for name in re.findall(r"\w+", rule)} - set(STRUCTURE)
# The Library of Congress's vocabularies for types of events and roles of agents and objects.
WORDS = {
    "eventType": {"creation", "fixity check"},
    "linkingAgentRole": {"executing program"},
    "linkingObjectRole": {"source", "outcome"},
    "agentType": {"software"},
    "messageDigestAlgorithm": {"SHA-256"},
}


def faults_in(element: Element) -> list[str]:
    """What is wrong with a document, part by part."""
    name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    parts = "".join(f"{child.tag.removeprefix(f'{{{NAMESPACE}}}')}," for child in element)
    text = (element.text or "").strip()
    if name in STRUCTURE:
        found = [] if re.fullmatch(STRUCTURE[name], parts) and not text else [f"{name} has {parts}{text}"]
    else:
        good = name in TEXTS and not parts and text in WORDS.get(name, {text})
        found = [] if good and (name != "size" or text.isdigit()) else [f"{name}: {parts}{text}"]
    return found + [fault for child in element for fault in faults_in(child)]


def facts(name: str) -> FileFacts:
    return FileFacts(path=Path(name), size=44, mtime_ns=1, sha256="0" * 64)


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """Two recordings that are done, one with flags and one that changed since, and one that is not."""
    plan = Plan()
    jobs = [
        Job(source=Path(f"/in/{n}"), name=Path(n), plan=plan, recipe="r")
        for n in ("a\u0001 & <b>.wav", "c.flac", "d.wav")
    ]
    with Journal(tmp_path) as journal:
        journal.begin(recipe="r")
        journal.expect(jobs)
        for number, job in enumerate(jobs[:2]):
            claim = journal.claim(job)
            assert claim is not None
            outputs = {"output": facts(str(job.name)), "receipt": facts(f"{job.name}.receipt.json")}
            flags = [{"code": "silence", "sentence": "There is nothing on it.", "value": None}] * number
            journal.finish(
                claim.number, how="restored", source_facts=facts(str(job.source)), outputs=outputs, receipt={},
                audio_seconds=1.0, work_seconds=1.0, flags=flags,
            )  # fmt: skip
        journal.end()
    return tmp_path


def checked(**wrong: str) -> Verification:
    problems: dict[Path, tuple[str, ...]] = {Path(name.replace("_", ".")): (why,) for name, why in wrong.items()}
    return Verification(done=2, wrong=problems, gone=0, unfinished=(), sampled=0, other_version=0)


def test_a_history_has_the_structure_of_premis(batch: Path, tmp_path: Path) -> None:
    write_premis(batch, checked(c_flac="It has changed."), tmp_path / "h.xml")
    text = (tmp_path / "h.xml").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert faults_in(root) == []
    assert root.get("version") == "3.0" and len(root) == 2 * 3 + 2 * 2 + 1
    notes = [e.text for e in root.iter(f"{{{NAMESPACE}}}eventOutcomeDetailNote")]
    assert notes == ["There is nothing on it.", "It has changed."]
    # The check finds what is in the wrong place, too often, missing, or nothing of PREMIS.
    for before, after in (
        ("<eventType>creation</eventType>", ""),
        ("<size>44</size>", "<size>44</size><size>44</size>"),
        ("<size>44</size>", "<size>large</size>"),
        (">creation<", ">restoration<"),
        ("<agentName>regroove</agentName>", "<agentVersion>1</agentVersion><agentName>regroove</agentName>"),
        ("<originalName>", "<speed>78</speed><originalName>"),
    ):
        assert before in text
        assert faults_in(ElementTree.fromstring(text.replace(before, after, 1))), after


def test_there_is_no_history_of_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path):
        pass
    with pytest.raises(ArchiveError, match="Nothing is done yet in .*, and a PREMIS document has an object at least"):
        write_premis(tmp_path, checked(), tmp_path / "h.xml")
    assert not (tmp_path / "h.xml").exists()
