"""Files as people have them are read to their real end, and what is odd about them is said."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.audio.load import read_audio
from regroove.audio.reader import AudioReader
from regroove.errors import AudioError
from regroove.restoration.restorer import Restorer
from regroove.solve.solved_files import solve_file
from regroove.solve.tasks.inpainting import InpaintingSolver

RATE = 44_100
Ffmpeg = Callable[..., Path]
Decoded = Callable[..., np.ndarray]


def read(path: Path) -> np.ndarray:
    return np.concatenate(list(AudioReader(path).blocks(frames=10_000)), axis=1).T


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """A second and a half of a tone that fades, then silence: frames of very different sizes."""
    t = np.arange(RATE * 3 // 2) / RATE
    x = 0.4 * np.sin(2 * np.pi * 440 * t) * np.maximum(0, 1 - 2 * t)
    x += 0.05 * np.random.default_rng(0).standard_normal(len(t)) * (t < 0.3)
    soundfile.write(tmp_path / "tone.wav", x, RATE, subtype="PCM_16")
    return tmp_path / "tone.wav"


# Kind of file, ffmpeg's options for it.
ESTIMATED = {
    "variable rate without a count": ("v.mp3", "-c:a", "libmp3lame", "-q:a", "4", "-write_xing", "0"),
    "constant rate without a count": ("c.mp3", "-c:a", "libmp3lame", "-b:a", "128k", "-write_xing", "0"),
    "with a count": ("x.mp3", "-c:a", "libmp3lame", "-q:a", "4"),
    "MP2": ("m.mp2", "-c:a", "mp2"),
    "MP3 in WAV": ("m.wav", "-c:a", "libmp3lame", "-b:a", "96k"),
    "FLAC in Ogg": ("f.ogg", "-c:a", "flac"),
    "Opus": ("o.opus", "-c:a", "libopus"),
    "half the rate": ("h.mp3", "-ar", "22050", "-c:a", "libmp3lame", "-b:a", "64k", "-write_xing", "0"),
}


@pytest.mark.parametrize("kind", ESTIMATED)
def test_lengths_are_those_of_an_independent_decoder(ffmpeg: Ffmpeg, decoded: Decoded, tone: Path, kind: str) -> None:
    name, *options = ESTIMATED[kind]
    path = ffmpeg("-i", tone, *options, name)
    ours, theirs = read(path), decoded(path)
    assert len(ours) == len(theirs) == AudioReader(path).frames
    assert np.abs(ours - theirs).max() < 1e-3
    assert AudioReader(path).info.notes == ()
    assert read_audio(path)[0].shape == (1, len(theirs))


CHAINED = {
    "wav": (),
    "ogg": ("-c:a", "libvorbis"),
    "opus": ("-c:a", "libopus"),
    "mp3": ("-c:a", "libmp3lame"),
    "flac": (),
}


@pytest.mark.parametrize("suffix", CHAINED)
def test_files_that_were_put_together_are_read_to_the_last(
    ffmpeg: Ffmpeg, decoded: Decoded, tone: Path, tmp_path: Path, suffix: str
) -> None:
    first = ffmpeg("-i", tone, *CHAINED[suffix], f"a.{suffix}")
    second = ffmpeg("-i", tone, "-af", "volume=0.5", *CHAINED[suffix], f"b.{suffix}")
    both = tmp_path / f"both.{suffix}"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    theirs = np.concatenate([decoded(first), decoded(second)])
    ours = read(both)
    assert len(ours) == len(theirs)
    assert np.abs(ours - theirs).max() < 1e-3
    done = Restorer(engine="wiener", strength=0.0).restore_file(both, tmp_path / "out.wav")
    assert soundfile.info(tmp_path / "out.wav").frames == len(theirs)
    assert done.notes[0] == f"both.{suffix} holds 2 recordings, one after the other; texts are those of the first."
    assert done.audio_seconds == pytest.approx(len(theirs) / soundfile.info(first).samplerate)


def test_parts_of_different_rates_are_refused(ffmpeg: Ffmpeg, tone: Path, tmp_path: Path) -> None:
    first, second = (ffmpeg("-i", tone, "-ar", rate, f"{rate}.flac") for rate in (44_100, 48_000))
    (tmp_path / "both.flac").write_bytes(first.read_bytes() + second.read_bytes())
    with pytest.raises(AudioError, match="2 recordings of different rates"):
        AudioReader(tmp_path / "both.flac")


# Pages as long as those of other programs would hold all of a short file.
PAGES = ("-page_duration", "100000")
CUT = {
    "wav": (), "aiff": (), "w64": (), "caf": ("-f", "caf"), "flac": (), "au": (), "mp3": ("-c:a", "libmp3lame"),
    "ogg": ("-c:a", "libvorbis", *PAGES), "opus": ("-c:a", "libopus", *PAGES), "mp2": ("-c:a", "mp2"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", CUT)
def test_a_file_without_its_end_is_restored_as_far_as_it_goes(
    ffmpeg: Ffmpeg, decoded: Decoded, tmp_path: Path, suffix: str
) -> None:
    soundfile.write(tmp_path / "noise.wav", 0.2 * np.random.default_rng(0).standard_normal(2 * RATE), RATE)
    path = ffmpeg("-i", "noise.wav", *CUT[suffix], f"a.{suffix}")
    # Not at a place where a frame ends.
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 5 + 5])
    theirs = decoded(path)
    # ffmpeg fills up the last frame of MPEG audio, of which a part is missing.
    slack = 1152 if suffix in ("mp3", "mp2") else 0
    assert 0 <= len(theirs) - AudioReader(path).frames <= slack
    for name, done in (
        ("out.wav", Restorer(engine="wiener", strength=0.0).restore_file(path, tmp_path / "out.wav").notes),
        ("solved.wav", solve_file(InpaintingSolver(), path, tmp_path / "solved.wav").notes),
    ):
        (note,) = [note for note in done if "is cut short" in note]
        assert note.startswith(f"a.{suffix} is cut short: ")
        assert soundfile.info(tmp_path / name).frames == AudioReader(path).frames


def with_sizes(path: Path, *, riff: int, data: int) -> Path:
    """A WAV file whose recorder did not get to fill in its sizes."""
    content = bytearray(path.read_bytes())
    place = content.find(b"data") + 4
    content[4:8], content[place : place + 4] = struct.pack("<I", riff), struct.pack("<I", data)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("data", [0, 0xFFFFFFFF, 0x7FFFFFFF])
@pytest.mark.parametrize("riff", [0, 4, 36, 0xFFFFFFFF])
def test_the_sound_of_a_recorder_that_died_is_read(tone: Path, riff: int, data: int) -> None:
    x = soundfile.read(tone)[0]
    info = AudioReader(with_sizes(tone, riff=riff, data=data)).info
    assert info.notes == (
        "The header of tone.wav does not say how long it is: 1.50 s were read, up to the end of the file.",
    )
    np.testing.assert_array_equal(read(tone)[:, 0], x)


def test_an_empty_data_chunk_before_others_is_empty(tone: Path) -> None:
    content = tone.read_bytes()
    place = content.find(b"data")
    info = b"INFOISFT" + struct.pack("<I", 4) + b"abc\0"
    rest = b"data" + struct.pack("<I", 0) + b"LIST" + struct.pack("<I", len(info)) + info
    tone.write_bytes(content[:place] + rest)
    with pytest.raises(AudioError, match="holds no samples"):
        AudioReader(tone)


def chunk(tag: bytes, content: bytes, padding: int = 0) -> bytes:
    return tag + struct.pack("<I", len(content)) + content + b"\0" * padding


def wave(*chunks: bytes, form: bytes = b"RIFF") -> bytes:
    head = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))
    inner = b"WAVE" + head + b"".join(chunks)
    return form + struct.pack("<I", len(inner)) + inner


SAMPLES = (np.arange(-500, 500) * 31).astype("<i2")
SOUND = SAMPLES.tobytes()
ODD = {
    "two data chunks": wave(chunk(b"data", SOUND[:700]), chunk(b"LIST", b"INFO"), chunk(b"data", SOUND[700:])),
    "texts filled up to four bytes": wave(
        chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Aria1", 3) + chunk(b"IART", b"K.\0", 1)), chunk(b"data", SOUND)
    ),
    "a chunk filled up to four bytes": wave(chunk(b"bird", b"12345", 3), chunk(b"data", SOUND)),
    "a chunk that is not filled up": wave(chunk(b"bird", b"12345"), chunk(b"data", SOUND)),
    "BW64": b"BW64"
    + struct.pack("<I", 0xFFFFFFFF)
    + b"WAVE"
    + chunk(b"ds64", struct.pack("<QQQI", 2064, 2000, 0, 0))
    + wave(b"data" + struct.pack("<I", 0xFFFFFFFF) + SOUND)[12:],
}


@pytest.mark.parametrize("kind", ODD)
def test_wave_files_that_are_put_together_oddly(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(ODD[kind])
    np.testing.assert_array_equal(read(path)[:, 0] * 2**15, SAMPLES)
    if kind.startswith("texts"):
        assert AudioReader(path).info.metadata.texts == (("TITLE", "Aria1"), ("ARTIST", "K."))


def test_two_data_chunks_are_said(tmp_path: Path) -> None:
    # Other decoders disagree: ffmpeg reads the last, libsndfile the first.
    path = tmp_path / "a.wav"
    path.write_bytes(ODD["two data chunks"])
    assert AudioReader(path).info.notes == ("a.wav holds 2 data chunks, which are read one after the other.",)


@pytest.mark.parametrize("size", [0, 300])
def test_an_id3_tag_in_front_of_flac_is_no_hindrance(tone: Path, tmp_path: Path, size: int) -> None:
    x, _ = soundfile.read(tone)
    soundfile.write(tmp_path / "a.flac", x, RATE)
    tag = b"ID3" + bytes([4, 0, 0, 0, 0, size >> 7, size & 127]) + bytes(size)
    (tmp_path / "a.flac").write_bytes(tag + (tmp_path / "a.flac").read_bytes())
    np.testing.assert_array_equal(read(tmp_path / "a.flac")[:, 0], x)


@pytest.mark.parametrize("rate", [352_800, 384_000, 705_600, 768_000])
def test_rates_of_decoded_dsd_are_restored(tmp_path: Path, rate: int) -> None:
    x = 0.1 * np.random.default_rng(0).standard_normal(rate // 4)
    soundfile.write(tmp_path / "a.wav", x, rate, subtype="PCM_24")
    Restorer(engine="wiener", clicks=False).restore_file(tmp_path / "a.wav", tmp_path / "b.wav")
    info = soundfile.info(tmp_path / "b.wav")
    assert (info.samplerate, info.frames) == (rate, rate // 4)


def test_a_promise_that_no_disk_holds_is_none(tone: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.w64", soundfile.read(tone)[0], RATE, format="W64")
    content = bytearray((tmp_path / "a.w64").read_bytes())
    place = content.find(b"data") + 16
    content[place : place + 8] = struct.pack("<Q", 2**62)
    (tmp_path / "a.w64").write_bytes(content)
    assert not any("promises" in note for note in AudioReader(tmp_path / "a.w64").info.notes)


def test_lengths_that_differ_by_little_are_told_apart(tone: Path) -> None:
    tone.write_bytes(tone.read_bytes()[:-8])
    (note,) = AudioReader(tone).info.notes
    assert note == "tone.wav is cut short: 1.4999 s were read of the 1.5000 s that its header promises."


def test_an_mp3_without_a_frame_is_not_called_a_pipe(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp3").write_bytes(b"ID3" + bytes([4, 0, 0, 0, 0, 0, 2]) + bytes(2) + bytes(range(250)) * 40)
    with pytest.raises(AudioError, match="no whole frame of sound") as refused:
        AudioReader(tmp_path / "a.mp3")
    assert "pipe" not in str(refused.value)
    assert capfd.readouterr().err == ""


def test_a_damaged_mp3_makes_the_decoder_say_nothing(
    ffmpeg: Ffmpeg, tone: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = ffmpeg("-i", tone, "-c:a", "libmp3lame", "a.mp3")
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(1000, len(content), 200):
        content[place] = rng.integers(256)
    path.write_bytes(content)
    assert len(read(path)) == AudioReader(path).frames
    assert capfd.readouterr().err == ""


def test_a_count_that_is_too_small_does_not_end_an_mp3(ffmpeg: Ffmpeg, decoded: Decoded, tone: Path) -> None:
    path = ffmpeg("-i", tone, "-c:a", "libmp3lame", "-b:a", "128k", "a.mp3")
    whole = AudioReader(path).frames
    content = bytearray(path.read_bytes())
    place = content.find(b"Info") + 8
    count = struct.unpack(">I", content[place : place + 4])[0]
    content[place : place + 4] = struct.pack(">I", count // 2)
    path.write_bytes(content)
    # Without a count that is right, the encoder's own samples at both ends cannot be told from sound.
    assert len(read(path)) == AudioReader(path).frames == count * 1152 >= whole


def test_a_broken_frame_is_not_called_a_pipe(ffmpeg: Ffmpeg, tone: Path) -> None:
    path = ffmpeg("-i", tone, "-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0", "a.mp3")
    path.write_bytes(path.read_bytes()[:100] + b"\xff\xfb\x90" * 100)
    with pytest.raises(AudioError, match="cannot be read as audio") as refused:
        AudioReader(path)
    assert "pipe" not in str(refused.value)
