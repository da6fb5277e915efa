"""What a file says besides sound is kept, or named: checked with readers that are not ours."""

import json
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
import wavinfo
from mutagen.flac import FLAC
from mutagen.id3 import ID3

import regroove
from regroove.audio.reader import AudioReader
from regroove.restoration.restorer import Restorer
from regroove.solve.solved_files import solve_file
from regroove.solve.tasks.inpainting import InpaintingSolver

RATE = 44_100
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
Ffmpeg = Callable[..., Path]


def chunk(tag: bytes, content: bytes, order: str = "<") -> bytes:
    return tag + struct.pack(f"{order}I", len(content)) + content + b"\0" * (len(content) % 2)


BEXT = (
    b"Side A, take 2".ljust(256, b"\0")
    + b"The archive".ljust(32, b"\0")
    + b"ARC-0042".ljust(32, b"\0")
    + b"1998-07-2312:34:56"
    + struct.pack("<QH", 123_456_789, 2)
    + bytes(range(64))
    + struct.pack("<5h", -2300, 700, -100, -1800, -2000)
    + bytes(180)
    + b"A=ANALOGUE,M=mono,T=Studer A807\r\nA=PCM,F=44100,W=16,M=mono,T=Lynx\r\n"
)
IXML = b'<?xml version="1.0"?><BWFXML><PROJECT>78s</PROJECT></BWFXML>'
INFO = {
    b"INAM": "Für Elise".encode("latin-1"), b"IARL": b"Shelf 12", b"ISRC": b"The estate", b"ITRK": b"7",
    b"ILNG": b"deu", b"ISFT": b"A recorder",
}  # fmt: skip
CUE = struct.pack("<I", 1) + struct.pack("<II4sIII", 1, 100, b"data", 0, 0, 100)
ADTL = b"adtl" + chunk(b"labl", struct.pack("<I", 1) + b"Needle down\0")
UNKNOWN = b"\x00\x01\x02 something of a program"
CHUNKS = {
    b"bext": BEXT, b"iXML": IXML, b"cue ": CUE, b"LIST": ADTL, b"xyz1": UNKNOWN,
}  # fmt: skip


@pytest.fixture
def sound() -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(RATE // 2)


@pytest.fixture
def bwf(tmp_path: Path, sound: np.ndarray) -> Path:
    """A broadcast WAV file with everything that archives put there."""
    soundfile.write(tmp_path / "plain.wav", sound, RATE, subtype="PCM_16")
    plain = (tmp_path / "plain.wav").read_bytes()
    info = chunk(b"LIST", b"INFO" + b"".join(chunk(name, value + b"\0") for name, value in INFO.items()))
    inner = plain[12:36] + chunk(b"bext", BEXT) + plain[36:]
    inner += b"".join(chunk(tag, content) for tag, content in CHUNKS.items() if tag != b"bext") + info
    path = tmp_path / "in.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(inner)) + b"WAVE" + inner)
    return path


def restore(source: Path, output: Path) -> list[str]:
    done = Restorer(engine="wiener", strength=0.0).restore_file(source, output)
    receipt = json.loads(Path(f"{output}.receipt.json").read_text())
    assert receipt["result"]["notes"] == done.notes
    return done.notes


def solve(source: Path, output: Path) -> list[str]:
    return solve_file(InpaintingSolver(), source, output).notes


def probed(path: Path) -> dict[str, str]:
    """What ffprobe finds, by names in small letters."""
    command = ["ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    tags = found["format"].get("tags", {}) | found["streams"][0].get("tags", {})
    return {name.lower(): value for name, value in tags.items()}


@pytest.mark.parametrize("write", [restore, solve])
def test_wave_to_wave_keeps_every_chunk(bwf: Path, tmp_path: Path, write: Callable[[Path, Path], list[str]]) -> None:
    assert write(bwf, tmp_path / "out.wav") == []
    before, after = (wavinfo.WavInfoReader(str(path)) for path in (bwf, tmp_path / "out.wav"))
    for name in ("description", "originator", "originator_ref", "originator_date", "time_reference", "umid"):
        assert getattr(after.bext, name) == getattr(before.bext, name), name
    assert after.bext.loudness_value == before.bext.loudness_value == pytest.approx(-23.0)
    line = f"A=PCM,F=44100,W=16,M=mono,T=regroove {regroove.__version__}; restored\r\n"
    assert after.bext.coding_history == before.bext.coding_history + line
    assert after.ixml.project == before.ixml.project == "78s"
    assert after.cues.to_dict() == before.cues.to_dict() and "Needle down" in str(after.cues.to_dict())
    content = (tmp_path / "out.wav").read_bytes()
    for tag, kept in CHUNKS.items():
        if tag != b"bext":
            assert chunk(tag, kept) in content
    for name, value in INFO.items():
        # Latin-1 stays as it was, byte for byte.
        assert chunk(name, value + b"\0") in content
    # Broadcast readers look for bext in front of the sound.
    assert content.find(b"bext") < content.find(b"data")


def test_wave_to_wave_as_ffmpeg_sees_it(ffmpeg: Ffmpeg, bwf: Path, tmp_path: Path) -> None:
    restore(bwf, tmp_path / "out.wav")
    before, after = probed(bwf), probed(tmp_path / "out.wav")
    assert set(before) >= {"comment", "encoded_by", "time_reference", "umid", "track", "language"}
    assert {name for name in before if before[name] != after[name]} == {"coding_history"}


def test_wave_to_flac_carries_what_has_a_counterpart_and_names_the_rest(bwf: Path, tmp_path: Path) -> None:
    notes = restore(bwf, tmp_path / "out.flac")
    assert notes == [
        "Output: Texts that are not UTF-8 were taken for windows-1252.",
        "Output: FLAC has no place for the UMID or loudness of bext, iXML, cue, LIST adtl and xyz1.",
    ]
    tags = FLAC(tmp_path / "out.flac").tags
    assert tags["title"] == ["Für Elise"] and tags["archivallocation"] == ["Shelf 12"]
    assert tags["source"] == ["The estate"] and tags["tracknumber"] == ["7"] and tags["language"] == ["deu"]
    assert tags["description"] == ["Side A, take 2"] and tags["originator_reference"] == ["ARC-0042"]
    assert tags["time_reference"] == ["123456789"] and "Studer A807" in tags["coding_history"][0]


@pytest.fixture
def flac(tmp_path: Path, sound: np.ndarray) -> Path:
    path = tmp_path / "in.flac"
    soundfile.write(path, sound, RATE, subtype="PCM_16")
    tagged = FLAC(path)
    tagged.tags.extend(
        [("TITLE", "Aria"), ("ARTIST", "First"), ("ARTIST", "Second"), ("MATRIX NUMBER", "B-1234"),
         ("REPLAYGAIN_TRACK_GAIN", "-3.20 dB"), ("COMMENT", "Ünïcode – ✓")]
    )  # fmt: skip
    picture = mutagen.flac.Picture()
    picture.data, picture.type, picture.mime, picture.desc = PNG, 4, "image/png", "label"
    tagged.add_picture(picture)
    tagged.save()
    return path


def with_sheet(path: Path) -> Path:
    """The file with a cue sheet of its end alone."""
    sheet = mutagen.flac.CueSheet(b"\0" * 396)
    sheet.media_catalog_number = b"123"
    sheet.tracks.append(mutagen.flac.CueSheetTrack(170, RATE // 2))
    tagged = FLAC(path)
    tagged.metadata_blocks.append(sheet)
    tagged.save()
    return path


@pytest.mark.parametrize("write", [restore, solve])
def test_flac_to_flac_keeps_comments_pictures_and_blocks(
    flac: Path, tmp_path: Path, write: Callable[[Path, Path], list[str]]
) -> None:
    assert write(with_sheet(flac), tmp_path / "out.flac") == []
    before, after = FLAC(flac), FLAC(tmp_path / "out.flac")
    assert list(after.tags) == list(before.tags)
    assert [(p.type, p.mime, p.desc, p.data) for p in after.pictures] == [(4, "image/png", "label", PNG)]
    assert after.cuesheet.media_catalog_number == before.cuesheet.media_catalog_number
    assert soundfile.info(tmp_path / "out.flac").frames == RATE // 2


def test_flac_as_ffmpeg_sees_it(ffmpeg: Ffmpeg, flac: Path, tmp_path: Path) -> None:
    restore(flac, tmp_path / "out.flac")
    assert probed(tmp_path / "out.flac") == probed(flac)
    assert probed(flac)["artist"] == "First;Second"


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".mp3", ".ogg"])
def test_flac_to_others_keeps_every_text_and_picture(flac: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    notes = [note for note in restore(with_sheet(flac), output) if "only nearly" not in note]
    container = {".wav": "WAV", ".aiff": "AIFF", ".mp3": "MP3", ".ogg": "OGG"}[suffix]
    assert notes == [f"Output: {container} has no place for the cue sheet."]
    # There and back again.
    restore(output, tmp_path / "again.flac")
    before, after = FLAC(flac), FLAC(tmp_path / "again.flac")
    assert set(after.tags) >= set(before.tags)
    assert [p.data for p in after.pictures] == [PNG]
    found = mutagen.File(output)
    if suffix == ".ogg":
        assert found["artist"] == ["First", "Second"]
    else:
        assert found.tags["TPE1"].text == ["First", "Second"]
        assert found.tags["TXXX:MATRIX NUMBER"].text == ["B-1234"]
    if suffix == ".wav":
        assert wavinfo.WavInfoReader(str(output)).info.title == "Aria"


def test_comments_that_are_not_utf8_are_not_replaced(flac: Path, tmp_path: Path) -> None:
    content = flac.read_bytes()
    # One byte less and one more keep the sizes.
    flac.write_bytes(content.replace("Ünïcode – ✓".encode(), "Ünïcode für alle".encode("latin-1").ljust(17, b"!")))
    notes = restore(flac, tmp_path / "out.flac")
    assert notes == ["Output: Texts that are not UTF-8 were taken for windows-1252."]
    (comment,) = FLAC(tmp_path / "out.flac").tags["comment"]
    assert comment.rstrip("!") == "Ünïcode für alle" and "\ufffd" not in comment


def test_id3_of_mp3_stays_with_frames_of_every_kind(ffmpeg: Ffmpeg, bwf: Path, tmp_path: Path) -> None:
    path = ffmpeg("-i", "plain.wav", "-c:a", "libmp3lame", "in.mp3")
    tag = ID3()
    tag.add(mutagen.id3.TIT2(encoding=0, text="Für Elise"))
    tag.add(mutagen.id3.PRIV(owner="somebody", data=b"\x01\x02"))
    tag.add(mutagen.id3.APIC(encoding=3, mime="image/png", type=3, desc="", data=PNG))
    tag.save(path)
    notes = restore(path, tmp_path / "out.mp3")
    assert [note for note in notes if "place" in note] == []
    assert ID3(tmp_path / "out.mp3") == ID3(path)
    assert "Output: FLAC has no place for ID3 PRIV." in restore(path, tmp_path / "out.flac")
    assert FLAC(tmp_path / "out.flac").tags["title"] == ["Für Elise"]
    assert FLAC(tmp_path / "out.flac").pictures[0].data == PNG


def test_aiff_to_aiff_keeps_every_chunk(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "in.aiff"
    soundfile.write(path, sound, RATE, subtype="PCM_16")
    extra = {b"NAME": b"Aria", b"AUTH": b"K.", b"MARK": struct.pack(">H", 0), b"APPL": b"prog data", b"ANNO": b"odd"}
    inner = path.read_bytes()[12:] + b"".join(chunk(tag, content, ">") for tag, content in extra.items())
    path.write_bytes(b"FORM" + struct.pack(">I", 4 + len(inner)) + b"AIFF" + inner)
    assert restore(path, tmp_path / "out.aiff") == []
    content = (tmp_path / "out.aiff").read_bytes()
    assert all(chunk(tag, value, ">") in content for tag, value in extra.items())
    assert struct.unpack(">I", content[4:8])[0] == len(content) - 8
    notes = restore(path, tmp_path / "out.wav")
    assert notes == ["Output: WAV has no place for MARK and APPL."]
    assert dict(AudioReader(tmp_path / "out.wav").info.metadata.texts) == {
        "TITLE": "Aria", "ARTIST": "K.", "COMMENT": "odd",
    }  # fmt: skip


def test_a_checksum_of_the_old_sound_is_not_kept(tmp_path: Path, bwf: Path) -> None:
    content = bwf.read_bytes() + chunk(b"MD5 ", bytes(16))
    bwf.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    assert restore(bwf, tmp_path / "out.wav") == ["Output: MD5, which describes the sound as it was, is left out."]


def test_damaged_tags_do_not_cost_the_sound(tmp_path: Path, bwf: Path) -> None:
    content = (
        bwf.read_bytes() + chunk(b"id3 ", b"ID3\x04\x00\x00\x00\x00\x7f\x7fTIT2\xff\xff") + chunk(b"bext", b"short")
    )
    bwf.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    restore(bwf, tmp_path / "out.wav")
    restore(bwf, tmp_path / "out.flac")
    assert soundfile.info(tmp_path / "out.flac").frames == RATE // 2


def test_the_residual_says_the_same(bwf: Path, tmp_path: Path) -> None:
    Restorer(engine="wiener").restore_file(bwf, tmp_path / "out.wav", residual=tmp_path / "removed.wav")
    assert chunk(b"iXML", IXML) in (tmp_path / "removed.wav").read_bytes()
