"""Files in and out: every format, exact samples, nothing half-written."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.audio.formats import SampleFormat, container_for, output_format
from regroove.audio.metadata.metadata_values import Metadata
from regroove.audio.reader import AudioReader
from regroove.audio.writer import AudioWriter, _container
from regroove.errors import AudioError
from regroove.pending import PendingFile

SUFFIXES = {"WAV": ".wav", "FLAC": ".flac", "AIFF": ".aiff"}
WRITTEN = [
    (container, subtype)
    for container, subtypes in {
        "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
        "AIFF": ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
        "FLAC": ("PCM_S8", "PCM_16", "PCM_24"),
    }.items()
    for subtype in subtypes
]


def read_all(path: Path) -> np.ndarray:
    return np.concatenate(list(AudioReader(path).blocks(frames=1000)), axis=1)


def write_all(path: Path, samples: np.ndarray, *, subtype: str, rate: int = 44_100, **more: object) -> AudioWriter:
    pcm = SampleFormat(subtype=subtype)
    shape = {"channels": samples.shape[0], "frames": samples.shape[1]}
    with AudioWriter(path, sample_rate=rate, sample_format=pcm, **shape, **more) as writer:  # type: ignore[arg-type]
        for part in np.array_split(samples, 7, axis=1):
            writer.write(part)
    return writer


@pytest.mark.parametrize(("container", "subtype"), WRITTEN)
def test_samples_survive_reading_and_writing_bit_for_bit(tmp_path: Path, container: str, subtype: str) -> None:
    # Written by the file library from integers, so that the first file does not depend on our own rounding.
    source = tmp_path / f"a{SUFFIXES[container]}"
    integers = np.random.default_rng(0).integers(-(2**31), 2**31, (5003, 2), dtype=np.int64).astype(np.int32)
    integers[:2] = [[2**31 - 1, -(2**31)], [-(2**31), 2**31 - 1]]
    given = integers if "PCM" in subtype else integers / 2**31 * 1.5
    soundfile.write(str(source), given, 96_000, subtype=subtype, format=container)
    reader = AudioReader(source)
    samples = read_all(source)
    assert (reader.channels, reader.frames, reader.sample_rate) == (2, 5003, 96_000)
    copy = tmp_path / f"b{SUFFIXES[container]}"
    kept, note = output_format(copy, subtype=reader.info.subtype)
    assert note is None
    writer = write_all(copy, samples, subtype=kept.subtype, rate=96_000)
    again = AudioReader(copy)
    assert again.info.subtype == subtype
    assert writer.clipped == 0
    whole = {"dtype": "int32"} if "PCM" in subtype else {"dtype": "float64"}
    np.testing.assert_array_equal(soundfile.read(copy, **whole)[0], soundfile.read(source, **whole)[0])


@pytest.mark.parametrize(("suffix", "subtype"), [(".ogg", "VORBIS"), (".mp3", "MPEG_LAYER_III")])
def test_lossy_files_are_read_to_their_exact_length(tmp_path: Path, suffix: str, subtype: str) -> None:
    path = tmp_path / f"a{suffix}"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)
    soundfile.write(str(path), tone, 44_100)
    reader = AudioReader(path)
    samples = read_all(path)
    assert reader.info.subtype == subtype
    assert samples.shape == (1, reader.frames) == (1, 44_100)
    assert np.corrcoef(samples[0, 4000:-4000], tone[4000:-4000])[0, 1] > 0.99
    # The length of the blocks changes nothing: there is no seeking between them.
    np.testing.assert_allclose(samples[0], soundfile.read(path)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "source", "expected", "noted"),
    [
        ("a.wav", "VORBIS", "FLOAT", True),
        ("a.flac", "MPEG_LAYER_III", "PCM_24", True),
        ("a.aif", "ULAW", "PCM_16", True),
        ("a.wav", "PCM_S8", "PCM_U8", False),
        ("a.flac", "PCM_U8", "PCM_S8", False),
        ("a.wav", "PCM_24", "PCM_24", False),
    ],
)
def test_the_sample_format_is_kept_or_the_change_is_said(name: str, source: str, expected: str, noted: bool) -> None:
    chosen, note = output_format(Path(name), subtype=source)
    assert chosen.subtype == expected
    assert (note is not None) == noted


@pytest.mark.parametrize("subtype", ["PCM_32", "FLOAT", "DOUBLE"])
def test_flac_refuses_what_it_cannot_hold(subtype: str) -> None:
    with pytest.raises(AudioError, match="FLAC cannot hold"):
        output_format(Path("a.flac"), subtype=subtype)


@pytest.mark.parametrize("name", ["a.opus", "a.txt", "a"])
def test_other_extensions_are_refused(name: str) -> None:
    with pytest.raises(AudioError, match=r"ends in one of \.aif, \.aiff, \.flac, \.mp3, \.ogg, \.wav"):
        container_for(Path(name))


def test_samples_beyond_full_scale_are_clipped_and_counted(tmp_path: Path) -> None:
    samples = np.array([[0.0, 1.0, 1.5, -1.0, -1.5, 0.99999]])
    writer = write_all(tmp_path / "a.wav", samples, subtype="PCM_16")
    assert writer.clipped == 4  # 0.99999 rounds to 32768 too.
    np.testing.assert_array_equal(
        soundfile.read(tmp_path / "a.wav", dtype="int16")[0], [0, 32767, 32767, -32768, -32768, 32767]
    )


def test_the_writer_says_what_the_file_holds(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).uniform(-1.2, 1.2, (2, 500))
    pcm = SampleFormat(subtype="PCM_24")
    path = tmp_path / "a.flac"
    with AudioWriter(path, sample_rate=48_000, channels=2, frames=500, sample_format=pcm) as writer:
        kept = writer.write(samples)
    np.testing.assert_array_equal(read_all(path), kept)


def test_float_files_are_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).uniform(-1, 1, (1, 100))
    for name in ("a.wav", "a.aiff"):
        write_all(tmp_path / name, samples, subtype="FLOAT")
        # libsndfile's PEAK chunk would hold the second of writing.
        assert b"PEAK" not in (tmp_path / name).read_bytes()


TEXTS = (("TITLE", "Aria"), ("ARTIST", "K."))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff", ".ogg", ".mp3"])
def test_titles_are_kept(tmp_path: Path, suffix: str) -> None:
    subtype = {".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}.get(suffix, "PCM_16")
    write_all(tmp_path / f"a{suffix}", np.zeros((1, 10)), subtype=subtype, metadata=Metadata(texts=TEXTS))
    assert set(AudioReader(tmp_path / f"a{suffix}").info.metadata.texts) == set(TEXTS)


def test_a_file_over_4_gb_is_rf64_or_refused() -> None:
    assert _container(Path("a.wav"), bytes_needed=2**31) == "WAV"
    assert _container(Path("a.wav"), bytes_needed=2**32) == "RF64"
    assert _container(Path("a.flac"), bytes_needed=2**33) == "FLAC"
    with pytest.raises(AudioError, match="AIFF holds at most 4 GB"):
        _container(Path("a.aif"), bytes_needed=2**32)


def test_nothing_is_left_after_an_exception(tmp_path: Path) -> None:
    pcm = SampleFormat(subtype="PCM_16")
    path = tmp_path / "a.wav"
    with (
        pytest.raises(KeyboardInterrupt),
        AudioWriter(path, sample_rate=44_100, channels=1, frames=10, sample_format=pcm) as writer,
    ):
        writer.write(np.zeros((1, 5)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_shorter_than_promised_is_not_put_in_place(tmp_path: Path) -> None:
    pcm = SampleFormat(subtype="PCM_16")
    with (
        pytest.raises(AudioError, match="cannot be written"),
        AudioWriter(tmp_path / "a.wav", sample_rate=44_100, channels=1, frames=10, sample_format=pcm) as writer,
    ):
        writer.write(np.zeros((1, 5)))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(AudioError, match="exists already"):
        PendingFile(path)
    with PendingFile(path, overwrite=True) as pending:
        pending.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_new_files_have_the_usual_permissions(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    with PendingFile(tmp_path / "ours"):
        pass
    assert (tmp_path / "ours").stat().st_mode == usual.stat().st_mode
