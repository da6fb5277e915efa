"""Receipts against their schema, flags from receipts, and histories as PREMIS."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
import soundfile

from regroove.archive.flags import CODES, CUT_CRESTS, LITTLE_DB, MAINS_OFF, SILENT_DBFS, TONES, UNEQUAL_DB, flags_of
from regroove.archive.journal.journal import Journal
from regroove.archive.plans.plan import Plan
from regroove.archive.sources.job import Found
from regroove.archive.sources.jobs import make_jobs
from regroove.archive.verify.check import verify_folder
from regroove.archive.verify.premis import NAMESPACE, write_premis
from regroove.archive.verify.schema import SCHEMA, faults_of
from regroove.archive.workers.perform import Performer
from regroove.archive.workers.tasks import Restore, Restored
from regroove.noise.describe.warnings import UNSURE
from regroove.noise.find.drift import DriftSettings
from regroove.restoration.restorer import Restorer

RATE = 22_050
Receipt = dict[str, Any]


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one restored recording, its residual and its journal, as a batch leaves it."""
    folder = tmp_path_factory.mktemp("batch")
    rng = np.random.default_rng(0)
    soundfile.write(folder / "in.wav", 0.01 * rng.standard_normal((RATE, 2)), RATE)
    out = folder / "out"
    plan = Plan().changed(engine="wiener", noise_region="0-0.5", residual=True)
    found = [Found(source=folder / "in.wav", name=Path("side & 1\n.wav"))]
    (job,) = make_jobs(found, plan, out=out, ignores_case=False).jobs
    with Journal(out) as journal:
        journal.begin(recipe=job.recipe)
        journal.expect([job])
        claim = journal.claim(job)
        assert claim is not None
        task = Restore(
            key=job.name, source=job.source, folder=out, paths=job.paths(out), plan=plan, recipe=job.recipe,
            may_overwrite=True,
        )  # fmt: skip
        done = Performer().perform(task, progress=lambda progress: None)
        assert isinstance(done, Restored)
        journal.finish(
            claim.number, how=done.how, source_facts=done.source_facts, outputs=done.outputs, receipt=done.receipt,
            audio_seconds=done.audio_seconds, work_seconds=done.work_seconds, flags=list(done.flags),
        )  # fmt: skip
        journal.end()
    return folder


@pytest.fixture
def receipt(restored: Path) -> Receipt:
    return json.loads((restored / "out/side & 1\n.wav.receipt.json").read_text())


def test_all_is_well_and_a_sample_is_the_same_again(restored: Path) -> None:
    result = verify_folder(restored / "out", sample=5)
    assert (result.problems, result.sampled, result.unfinished, result.other_version) == ([], 1, (), 0)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("out/side & 1\n.wav", None, "side & 1\\n.wav is gone."),
        ("out/side & 1\n.removed.wav", b"x", "side & 1\\n.removed.wav is not as it was written."),
        ("out/side & 1\n.wav.receipt.json", b"{}", "is not complete: the receipt has no result."),
        ("out/side & 1\n.wav.receipt.json", b"no", "side & 1\\n.wav.receipt.json is no receipt."),
        ("in.wav", b"x", "in.wav has changed since it was restored."),
        ("in.wav", None, None),
    ],
)
def test_what_has_changed_is_named(restored: Path, name: str, content: bytes | None, problem: str | None) -> None:
    path = restored / name
    before = path.read_bytes()
    try:
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        result = verify_folder(restored / "out", sample=1)
    finally:
        path.write_bytes(before)
    assert result.sampled == 0
    said = "\n".join(result.problems)
    assert (problem in said) if problem else not said
    assert result.gone == (name == "in.wav" and content is None)


def test_another_result_is_named(restored: Path) -> None:
    with Journal(restored / "out", create=False) as journal, journal._data.transaction() as sql:
        before = sql.execute("SELECT plan FROM files").fetchone()[0]
        sql.execute("UPDATE files SET plan = replace(plan, '\"strength\": 1.0', '\"strength\": 0.5')")
    try:
        result = verify_folder(restored / "out", sample=1)
    finally:
        with Journal(restored / "out", create=False) as journal, journal._data.transaction() as sql:
            sql.execute("UPDATE files SET plan = ?", (before,))
    assert len(result.problems) == 2 and all("not the same when it is restored again" in p for p in result.problems)


def without(receipt: Receipt, *path: str) -> Receipt:
    changed = copy.deepcopy(receipt)
    part = changed
    for name in path[:-1]:
        part = part[name]
    del part[path[-1]]
    return changed


def with_value(receipt: Receipt, value: object, *path: str) -> Receipt:
    changed = copy.deepcopy(receipt)
    part = changed
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return changed


def test_receipts_keep_to_the_published_schema(receipt: Receipt) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema).is_valid
    assert valid(receipt) and faults_of(receipt) == []
    wrong = [
        *(without(receipt, name) for name in ("receipt", "result", "run")),
        *(without(receipt, "result", name) for name in schema["properties"]["result"]["required"]),
        *(without(receipt, "result", "input", name) for name in receipt["result"]["input"]),
        with_value(receipt, 2, "receipt"),
        with_value(receipt, "abc", "result", "output", "sha256"),
        with_value(receipt, -1, "result", "residual", "clipped_samples"),
        with_value(receipt, True, "result", "input", "frames"),
        with_value(receipt, "1", "result", "gain"),
        with_value(receipt, [1], "result", "notes"),
        with_value(receipt, {"repaired": 1}, "result", "clicks"),
    ]
    for each in wrong:
        assert not valid(each) and len(faults_of(each)) == 1
    # What is added later is no fault.
    assert faults_of(with_value(receipt, {"new": 1}, "result", "more")) == []


def codes(receipt: Receipt) -> dict[str, float | None]:
    flags = flags_of(receipt)
    assert all(flag.sentence.endswith(".") and flag.code in CODES for flag in flags)
    return {flag.code: flag.value for flag in flags}


NOISE = ("result", "engine", "noise")


def test_flags_come_from_the_receipts_numbers(receipt: Receipt) -> None:
    found = with_value(receipt, "lead-in", *NOISE, "place")
    assert codes(found) == {} == codes({})
    assert codes(with_value(found, UNSURE, *NOISE, "confidence")) == {"noise-unsure": UNSURE}
    assert codes(with_value(found, UNSURE + 0.01, *NOISE, "confidence")) == {}
    assert codes(with_value(found, "nowhere", *NOISE, "place")) == {"no-noise": 0.0}
    heard = with_value(with_value(found, "through the music", *NOISE, "place"), 0.9, *NOISE, "confidence")
    assert codes(heard) == {"noise-through-music": 0.9}
    level = found["result"]["levels_dbfs"]["input"]
    for share, removed, flagged in ((TONES + 0.01, level, True), (TONES, level, False), (1.0, level - 41, False)):
        changed = with_value(
            with_value(found, share, "result", "removed_tones"), removed, "result", "levels_dbfs", "removed"
        )
        assert ("tonal-residual" in codes(changed)) == flagged
    for removed, flagged in ((level + LITTLE_DB - 0.1, True), (level + LITTLE_DB + 0.1, False), (None, True)):
        assert ("little-removed" in codes(with_value(found, removed, "result", "levels_dbfs", "removed"))) == flagged
    assert "silence" in codes(with_value(found, SILENT_DBFS - 0.1, "result", "levels_dbfs", "input"))
    assert "silence" not in codes(with_value(found, SILENT_DBFS + 0.1, "result", "levels_dbfs", "input"))
    assert codes(with_value(found, 3, "result", "output", "clipped_samples")) == {"clipped": 3.0}
    assert codes(with_value(found, 0.8, "result", "gain")) == {"turned-down": 0.8}


def test_flags_of_channels_and_states(receipt: Receipt) -> None:
    found = with_value(receipt, "lead-in", *NOISE, "place")
    channels = found["result"]["engine"]["noise"]["channels"]
    limit = DriftSettings().most_db
    for drift, flagged in ((-limit, True), (limit, True), (limit - 0.1, False)):
        assert ("drift-limit" in codes(with_channel(found, drift_db=[min(drift, 0), max(drift, 0)]))) == flagged
    if len(channels) == 2:
        louder = channels[1]["level_dbfs"]
        assert codes(with_channel(found, level_dbfs=louder - UNEQUAL_DB)) == {"channels-unequal": UNEQUAL_DB}
        assert codes(with_channel(found, level_dbfs=louder - UNEQUAL_DB + 0.1)) == {}
    for off, flagged in ((MAINS_OFF + 0.001, True), (MAINS_OFF - 0.001, False), (-MAINS_OFF - 0.001, True)):
        line = {"frequency_hz": 100.0, "level_dbfs": -60.0, "over_db": 10.0, "mains_hz": 50 * (1 + off), "harmonic": 2}
        assert ("speed" in codes(with_channel(found, lines=[line]))) == flagged
    for end, flagged in ((5.1, True), (4.9, False)):
        spans = [
            {"start": 0.0, "end": end, "state": "digital silence"},
            {"start": end, "end": 10.0, "state": "music"},
        ]
        assert ("much-silence" in codes(with_value(found, spans, *NOISE, "states"))) == flagged


@pytest.mark.parametrize(("cut", "flagged"), [(CUT_CRESTS, True), (CUT_CRESTS - 1, False)])
def test_a_clipped_transfer_is_flagged(receipt: Receipt, cut: int, flagged: bool) -> None:
    found = with_value(with_value(receipt, "lead-in", *NOISE, "place"), cut, "result", "transfer", "cut_crests")
    assert codes(found) == ({"clipped-transfer": cut} if flagged else {})


def test_one_image_in_two_channels_is_flagged(receipt: Receipt) -> None:
    found = with_value(receipt, "lead-in", *NOISE, "place")
    for alike, flagged in (("identical", True), ("near-equal (one image)", True), ("different", False)):
        changed = with_value(found, {"alike": alike, "difference_db": None}, "result", "transfer", "channels_alike")
        assert ("mono-in-two-channels" in codes(changed)) == flagged


def with_channel(receipt: Receipt, **values: object) -> Receipt:
    channels = copy.deepcopy(receipt["result"]["engine"]["noise"]["channels"])
    channels[0].update(values)
    return with_value(receipt, channels, *NOISE, "channels")


def test_flags_of_files_come_from_real_notes(tmp_path: Path) -> None:
    """The sentences are those that reading and writing give, not those of this test."""
    noise = 0.01 * np.random.default_rng(0).standard_normal(RATE)
    soundfile.write(tmp_path / "whole.wav", noise, RATE)
    whole = (tmp_path / "whole.wav").read_bytes()
    cut, noted = tmp_path / "cut.wav", tmp_path / "noted.wav"
    cut.write_bytes(whole[:-RATE])
    noted.write_bytes(b"RIFF" + (len(whole) + 4).to_bytes(4, "little") + whole[8:] + b"cue \4\0\0\0\0\0\0\0")
    restorer = Restorer(engine="wiener", strength=0.5)
    for source, output, code in ((cut, "a.wav", "cut-short"), (noted, "b.flac", "metadata-dropped")):
        done = restorer.restore_file(source, tmp_path / output)
        assert code in codes(json.loads(done.paths["receipt"].read_text())), done.notes


def test_histories_are_premis(restored: Path, tmp_path: Path) -> None:
    result = verify_folder(restored / "out")
    write_premis(restored / "out", result, tmp_path / "history.xml")
    root = ElementTree.parse(tmp_path / "history.xml").getroot()
    assert root.tag == f"{{{NAMESPACE}}}premis" and root.get("version") == "3.0"
    kinds = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in root]
    assert kinds == ["object"] * 4 + ["event"] * 2 + ["agent"]
    name = {"p": NAMESPACE}
    assert [event.findtext("p:eventType", "", name) for event in root.findall("p:event", name)] == [
        "creation",
        "fixity check",
    ]
    known = {element.text for element in root.findall("p:object//p:objectIdentifierValue", name)}
    linked = [element.text for element in root.findall("p:event//p:linkingObjectIdentifierValue", name)]
    assert set(linked) == known and len(known) == 4
    agents = {element.text for element in root.findall("p:agent//p:agentIdentifierValue", name)}
    assert {element.text for element in root.findall("p:event//p:linkingAgentIdentifierValue", name)} == agents
    output = next(
        o for o in root.findall("p:object", name) if o.findtext("p:originalName", "", name) == "side & 1\\n.wav"
    )
    digest = subprocess.run(
        ["sha256sum", restored / "out/side & 1\n.wav"], capture_output=True, text=True, check=True
    ).stdout
    assert (output.findtext(".//p:messageDigest", "", name)) in digest
    assert [e.findtext(".//p:eventOutcome", "", name) for e in root.findall("p:event", name)] == ["success", "pass"]
