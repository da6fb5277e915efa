"""What a side does from its beginning to its end, named."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from regroove.evaluation.cases.families.family_table import family_case
from regroove.evaluation.clip_files import write_audio
from regroove.noise.find.finder import NoiseFinder
from regroove.noise.find.found import Span, State
from regroove.noise.find.segments import Segment
from regroove.noise.find.states import StateSettings, Timeline, spans_of, states_of

RATE = 44_100
NOISE = np.full((1, 23), -60.0)
Make = Callable[..., Segment]


def states(parts: list[Segment], levels: np.ndarray, music: tuple[int, int]) -> list[State]:
    return states_of(Timeline(np.arange(len(levels)), levels, len(levels)), parts, NOISE, music, StateSettings())


def music_from(first: int, last: int = 99, count: int = 100) -> np.ndarray:
    levels = np.full((count, 1, 23), -60.0)
    levels[first : last + 1] = -30
    return levels


@pytest.mark.parametrize(("below_db", "state"), [
    (1.5, State.LEAD_IN), (2.8, State.PLAIN_GROOVE), (12.0, State.PLAIN_GROOVE), (21.0, State.ELECTRONICS),
])  # fmt: skip
def test_what_is_before_the_music_is_named_by_its_level(steady_part: Make, below_db: float, state: State) -> None:
    parts = [steady_part(0, 30, -60 - below_db), steady_part(30, 50)]
    named = states(parts, music_from(50), (50, 99))
    assert named == [state] * 30 + [State.LEAD_IN] * 20 + [State.MUSIC] * 50


@pytest.mark.parametrize(("below_db", "state"), [(4.5, State.RUN_OUT), (8.5, State.NEEDLE_UP)])
def test_what_is_after_the_music(steady_part: Make, below_db: float, state: State) -> None:
    parts = [steady_part(0, 20), steady_part(40, 50), steady_part(70, 100, -60 - below_db)]
    named = states(parts, music_from(20, 69), (20, 69))
    runs = [State.LEAD_IN] * 20 + [State.MUSIC] * 20 + [State.PAUSE] * 10 + [State.MUSIC] * 20 + [state] * 30
    assert named == runs


def dropped(steady_part: Make, *, thump_db: float, moments: int) -> State:
    parts = [steady_part(0, 20, -90), steady_part(20 + moments, 60)]
    levels = music_from(60)
    levels[:20], levels[20 : 20 + moments] = -90, -60 + thump_db
    return states(parts, levels, (60, 99))[20]


def test_a_needle_that_drops(steady_part: Make) -> None:
    assert [dropped(steady_part, thump_db=db, moments=4) is State.NEEDLE_DROP for db in (4.5, 8.5)] == [False, True]
    assert [dropped(steady_part, thump_db=20, moments=m) is State.NEEDLE_DROP for m in (8, 14)] == [True, False]


@pytest.mark.parametrize(("step_db", "gains"), [(1.1, False), (2.2, True)])
def test_a_motor_that_gains_speed(steady_part: Make, step_db: float, gains: bool) -> None:
    """Each part begins where the one before has ended."""
    parts = [steady_part(i, i + 10, -60 - step_db * (2 - i / 10)) for i in (0, 10, 20)]
    levels = music_from(50)
    levels[:30] = -60 + step_db * (np.arange(30) / 10 - 2.5)[:, None, None]
    named = states([*parts, steady_part(30, 50)], levels, (50, 99))
    assert (State.MOTOR in named) is gains


def test_spans_cover_the_recording_and_moments_by_themselves_are_no_span() -> None:
    named = [State.LEAD_IN] * 8 + [State.PAUSE] * 2 + [State.MUSIC] * 30 + [State.SILENCE] * 3 + [State.MUSIC] * 7
    spans = spans_of(named, sample_rate=RATE, seconds=4.7)
    assert [s.state for s in spans] == [State.LEAD_IN, State.MUSIC, State.SILENCE, State.MUSIC]
    assert spans[0].start == 0 and spans[-1].end == 4.7
    assert all(a.end == b.start for a, b in zip(spans, spans[1:], strict=False))


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Notes that begin at once, and white noise, as files."""
    folder = tmp_path_factory.mktemp("material")
    t = np.arange(8 * RATE) / RATE
    notes = sum(np.sin(2 * np.pi * 330 * k * t) / k * np.exp(-5 * (t % 0.5)) for k in range(1, 20))
    files = {"music": 0.1 * notes, "noise": 0.05 * np.random.default_rng(7).standard_normal(32 * RATE)}
    for name, samples in files.items():
        write_audio(folder / f"{name}.wav", samples, sample_rate=RATE)
    return {name: str(folder / f"{name}.wav") for name in files}


def found_states(family: str, seed: int, material: dict[str, str]) -> tuple[tuple[Span, ...], tuple[float, float]]:
    case = family_case(family, lead_in=True, seed=seed, snr_db=10.0, **material)
    finder = NoiseFinder(sample_rate=RATE, channels=1)
    finder.add(torch.from_numpy(case.noisy).float())
    assert case.lead is not None
    return finder.finish().states, (case.lead[0], case.music[0])


def named(spans: tuple[Span, ...]) -> list[State]:
    return [s.state for s in spans]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_plain_groove_and_recorded_groove(seed: int, material: dict[str, str]) -> None:
    spans, (recorded, music) = found_states("grooves", seed, material)
    assert named(spans)[:3] == [State.PLAIN_GROOVE, State.LEAD_IN, State.MUSIC]
    assert spans[1].start == pytest.approx(recorded, abs=0.3) and spans[2].start == pytest.approx(music, abs=0.3)


MOTOR_SEEDS = [0, 1, 2, 4, 5]


@pytest.mark.parametrize("seed", MOTOR_SEEDS)
def test_the_family_of_motors(seed: int, material: dict[str, str]) -> None:
    spans, (_, music) = found_states("motor", seed, material)
    assert named(spans)[:3] == [State.MOTOR, State.LEAD_IN, State.MUSIC]
    assert spans[2].start == pytest.approx(music, abs=0.3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_needle_that_comes_down_and_goes_up(seed: int, material: dict[str, str]) -> None:
    spans, (lead, music) = found_states("needle", seed, material)
    states = [s for s in named(spans) if s is not State.PAUSE]
    assert states[0] is State.ELECTRONICS and State.LEAD_IN in states[1:3] and states[-1] is State.NEEDLE_UP
    groove = next(s for s in spans if s.state is State.LEAD_IN)
    # What a person marks begins 0.3 s after the needle is down, when its thump is over.
    assert lead - 0.6 < groove.start < lead + 0.3 and groove.end == pytest.approx(music, abs=0.3)


@pytest.mark.xfail(strict=True, reason="the thump is put to the electronics before it")
def test_the_drop_of_the_needle_itself(material: dict[str, str]) -> None:
    spans, _ = found_states("needle", 0, material)
    assert State.NEEDLE_DROP in named(spans)
