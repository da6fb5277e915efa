"""Instruments of recorded single notes: which note plays a key, in tune, in range, and the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from regroove.cli.main import app
from regroove.errors import SettingsError
from regroove.training.corpus.note_sampler import Sampler, named_regions
from regroove.training.corpus.players import play_together, read_players
from regroove.training.corpus.rendered_music import Corpus, CorpusSettings
from regroove.training.corpus.scores import hertz, voices

RATE = 44_100


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A fiddle of three notes and a bass of one; the other files hold no notes."""
    for name, pitch in (("fiddle/A3.wav", 57), ("fiddle/C4.flac", 60), ("fiddle/Fs4.wav", 66), ("bass/Bb1.wav", 34)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, 0.5 * np.sin(2 * np.pi * hertz(pitch) * np.arange(2 * RATE) / RATE), RATE)
    (tmp_path / "fiddle" / "A4.txt").write_text("no sound")
    (tmp_path / "fiddle" / "C4 v2.wav").write_bytes(b"no note's name")
    (tmp_path / "empty").mkdir()
    return tmp_path


def pitch_of(audio: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), n=8 * RATE))
    return 69 + 12 * np.log2(spectrum.argmax() / 8 / 440)


def test_each_key_is_played_by_the_nearest_note(notes: Path) -> None:
    found = [(r.file, r.root, r.keys) for r in named_regions(notes / "fiddle")]
    assert found == [("A3.wav", 57.0, (54, 58)), ("C4.flac", 60.0, (59, 63)), ("Fs4.wav", 66.0, (64, 69))]
    assert [(r.file, r.root) for r in named_regions(notes / "bass")] == [("Bb1.wav", 34.0)]
    assert named_regions(notes / "empty") == []


@pytest.mark.parametrize("key", [54, 58, 59, 63, 64, 69])
def test_notes_are_in_tune(notes: Path, key: int) -> None:
    sampler = Sampler(named_regions(notes / "fiddle"), notes / "fiddle", sample_rate=RATE)
    audio = sampler.render(np.array([[0.25, 1.0, key, 80.0]]), seconds=1.25)
    assert not audio[: RATE // 4].any()
    assert pitch_of(audio[RATE // 4 :]) == pytest.approx(key, abs=0.1)


def test_a_score_is_moved_into_the_range_of_who_plays_it(notes: Path) -> None:
    players = read_players(notes, sample_rate=RATE)
    assert [(p.lowest, p.highest) for p in players] == [(31, 37), (54, 69)]
    audio = players[1].perform(np.array([[0.0, 1.0, 38.0, 80.0]]), np.random.default_rng(1), seconds=1.0)
    assert audio.dtype == np.float32 and pitch_of(audio) == pytest.approx(62, abs=0.1)


def test_what_is_played_together_is_audible_and_the_same_for_a_seed(notes: Path) -> None:
    players = read_players(notes, sample_rate=RATE)
    score = np.array([[0.2 * i, 0.3, 40 + 5 * (i % 7), 80.0] for i in range(8)])
    piano = players[1].sampler
    for seed in range(8):
        audio = play_together(score, players, piano, np.random.default_rng(seed), seconds=2.0)
        assert audio.shape == (2 * RATE,) and audio.dtype == np.float32 and np.abs(audio).max() > 0.05
        again = play_together(score, players, piano, np.random.default_rng(seed), seconds=2.0)
        np.testing.assert_array_equal(audio, again)


def test_voices_share_all_notes_out_by_pitch() -> None:
    score = np.array([[0.1 * i, 0.1, pitch, 64.0] for i, pitch in enumerate((60, 72, 48, 65, 55, 80, 40, 67))])
    high, middle, low = voices(score, 3)
    assert high[:, 2].min() >= middle[:, 2].max() >= middle[:, 2].min() >= low[:, 2].max()
    assert len(high) + len(middle) + len(low) == len(score)
    assert [len(v) for v in voices(score[:1], 2)] == [0, 1]


def test_a_folder_without_notes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tunes").mkdir()
    (tmp_path / "tunes" / "song.wav").write_bytes(b"")
    with pytest.raises(SettingsError, match="has no folders of single notes named such as A3.wav or Fs4.flac"):
        read_players(tmp_path, sample_rate=RATE)


def test_notes_without_scores_are_refused(notes: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    done = CliRunner().invoke(app, ["train", "render", str(shards), "--recordings", str(notes), "--notes", str(notes)])
    assert done.exit_code != 0 and "Notes need scores to be played from" in str(done.exception or done.output)
    assert not shards.exists()


def test_a_corpus_can_be_theirs(instruments_and_scores: Path, notes: Path) -> None:
    corpus = Corpus(CorpusSettings(data=instruments_and_scores, seconds=2.0, notes=notes))
    for index in range(4):
        audio = corpus.render(index)
        assert audio.shape == (2 * RATE,) and audio.dtype == np.float32 and 0.01 < np.abs(audio).max() < 1
        np.testing.assert_array_equal(audio, corpus.render(index))
