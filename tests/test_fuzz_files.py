"""Damaged files of every kind: an error of ours or a result, in bounded time and memory, and nothing left behind."""

import functools
import io
import resource
import struct
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mutagen.id3 import APIC, ID3, TIT2

from regroove import Restorer
from regroove.audio.load import read_audio
from regroove.audio.reader import AudioReader
from regroove.cli.main import run as run_regroove
from regroove.errors import AudioError

KINDS = {
    "wav": ("WAV", "PCM_16"),
    "ima": ("WAV", "IMA_ADPCM"),
    "wavex": ("WAVEX", "PCM_24"),
    "rf64": ("RF64", "FLOAT"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "aifc": ("AIFF", "FLOAT"),
    "caf": ("CAF", "PCM_16"),
    "alac": ("CAF", "ALAC_16"),
    "au": ("AU", "ULAW"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
# Sizes and counts that headers are wrong with.
NUMBERS = [0, 1, 4, 36, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF, 2**62]
# What one file may take: seconds, and bytes above what was taken before all.
DEADLINE, MEMORY = 10, 2**30


@functools.cache
def whole(kind: str) -> bytes:
    """A tenth of a second of stereo, with texts."""
    container, subtype = KINDS[kind]
    samples = 0.1 * np.random.default_rng(0).standard_normal((4800, 2))
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 48_000, 2, subtype, format=container) as sound:
        if container not in ("MP3", "W64", "AU", "RF64"):
            sound.title, sound.comment = "Aria", "für alle"
        sound.write(samples)
    content = file.getvalue()
    if kind == "wav":
        content += b"bext" + struct.pack("<I", 610) + bytes(610) + b"cue " + struct.pack("<I", 4) + bytes(4)
    return tag() + content if kind in ("mp3", "flac") else content


def tag() -> bytes:
    file = io.BytesIO()
    found = ID3()
    found.add(TIT2(encoding=1, text="Aria"))
    found.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=b"\x89PNG"))
    found.save(file)
    return file.getvalue()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A whole file with some of its bytes changed, left out, doubled or added; most of them near its beginning."""
    content = bytearray(whole(draw(st.sampled_from(list(KINDS)))))
    if draw(st.integers(0, 9)) == 0:
        content += whole(draw(st.sampled_from(list(KINDS))))
    for _ in range(draw(st.integers(1, 6))):
        reach = draw(st.sampled_from([64, 512, len(content)]))
        place = draw(st.integers(0, max(0, min(reach, len(content)) - 1)))
        match draw(st.integers(0, 5)):
            case 0:
                content[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                form = draw(st.sampled_from(["<I", ">I", "<Q", ">Q", "<H"]))
                number = draw(st.sampled_from(NUMBERS)) & (2 ** (8 * struct.calcsize(form)) - 1)
                content[place : place + struct.calcsize(form)] = struct.pack(form, number)
            case 2:
                del content[place : place + draw(st.integers(1, 5000))]
            case 3:
                content[place:place] = content[place : place + draw(st.integers(1, 600))]
            case 4:
                content[place:place] = draw(st.binary(max_size=40))
            case 5:
                del content[place:]
    return bytes(content)


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(engine="wiener", strength=0.0)


def used() -> int:
    """The most memory this process has taken so far, in bytes: Linux counts kilobytes, macOS bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def check(folder: Path, content: bytes, restorer: Restorer | None) -> None:
    """Read it, and restore it where that is asked for."""
    path = folder / "in.audio"
    path.write_bytes(content)
    try:
        reader = AudioReader(path)
        assert sum(block.shape[1] for block in reader.blocks()) == reader.frames > 0
        if restorer:
            restorer.restore_file(reader, folder / "out.flac", overwrite=True)
            restorer.restore_file(reader, folder / "out.wav", overwrite=True)
    except AudioError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
    with suppress(AudioError):
        read_audio(path)
    allowed = {"in.audio", "out.flac", "out.wav", "out.flac.receipt.json", "out.wav.receipt.json"}
    assert {each.name for each in folder.iterdir()} <= allowed


COMMON = settings(
    deadline=DEADLINE * 1000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    database=None,
    derandomize=True,
)


@given(content=damaged())
@settings(COMMON, max_examples=300)
def test_damaged_files_are_restored_or_refused(tmp_path: Path, restorer: Restorer, content: bytes) -> None:
    before = used()
    check(tmp_path, content, restorer)
    assert used() - before < MEMORY


@given(content=damaged())
@settings(COMMON, max_examples=100)
def test_damaged_files_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], content: bytes
) -> None:
    source, output = tmp_path / "in.audio", tmp_path / "out.wav"
    for path in tmp_path.iterdir():
        path.unlink()
    source.write_bytes(content)
    command = ["regroove", "restore", str(source), str(output), "--engine", "wiener", "--strength", "0", "--quiet"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        run_regroove()
    # From the file handles themselves: decoders write there, too.
    out, err = capfd.readouterr()
    assert out == ""
    if ended.value.code:
        assert ended.value.code == 2 and err.startswith("regroove: ") and len(err.splitlines()) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["in.audio"]
    else:
        assert err == "" and soundfile.info(output).frames > 0


@given(content=st.binary(max_size=300))
@settings(COMMON, max_examples=100)
def test_bytes_of_any_kind_are_refused(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, content, None)


@pytest.mark.slow
@given(content=damaged())
@settings(COMMON, max_examples=20_000, derandomize=False)
def test_twenty_thousand_damaged_files(tmp_path: Path, content: bytes) -> None:
    before = used()
    check(tmp_path, content, None)
    assert used() - before < MEMORY
