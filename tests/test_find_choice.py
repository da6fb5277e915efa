"""Which of the steady parts the map is measured in."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from regroove.noise.find.choice import Choice, ChoiceSettings, choose, extent, playing
from regroove.noise.find.confidence import confidence_of
from regroove.noise.find.found import Place
from regroove.noise.find.segments import Segment

Make = Callable[..., Segment]


def recording(parts: Sequence[Segment], count: int = 200, *, music_db: float = -40.0, floor_db: float = -60.0):
    """Levels of a recording: music between the parts, whose floor is that of the noise under it."""
    rng = np.random.default_rng(1)
    levels = np.maximum(music_db + 6 * rng.standard_normal((count, 1, 23)), floor_db)
    # A gap in the music in which the noise is alone, too short for a part.
    levels[::8] = floor_db
    for part in parts:
        levels[part.start : part.end] = part.levels
    return levels


def chosen(parts: Sequence[Segment], **music: float) -> Choice:
    choice = choose(parts, recording(parts, **music), np.arange(200), ChoiceSettings())
    assert choice is not None
    return choice


def starts(choice: Choice) -> list[int]:
    return [p.start for p in choice.parts]


def test_electronics_and_plain_groove_are_passed_over_for_the_recorded_groove(steady_part: Make) -> None:
    parts = [steady_part(0, 30, -90), steady_part(31, 70, -69), steady_part(71, 82, -60)]
    choice = chosen(parts)
    assert (choice.place, starts(choice)) == (Place.LEAD_IN, [71])
    assert abs(choice.lift_db) < 2


def test_a_lead_in_is_preferred_to_pauses_and_what_sounds_alike_is_taken_together(steady_part: Make) -> None:
    parts = [steady_part(0, 12), steady_part(13, 18), steady_part(80, 110)]
    choice = chosen(parts)
    assert (choice.place, starts(choice)) == (Place.LEAD_IN, [0, 13])


def test_pauses_where_there_is_nothing_else(steady_part: Make) -> None:
    parts = [steady_part(60, 66), steady_part(90, 99)]
    choice = chosen(parts)
    assert (choice.place, starts(choice)) == (Place.PAUSES, [60, 90])


@pytest.mark.parametrize(("count", "place"), [(8, Place.BOTH_ENDS), (15, Place.LEAD_IN)])
def test_with_enough_of_a_lead_in_no_run_out_is_needed(steady_part: Make, count: int, place: Place) -> None:
    assert chosen([steady_part(0, count), steady_part(180, 200)]).place is place


@pytest.mark.parametrize(("apart_db", "alike"), [(2.2, True), (4.2, False)])
def test_how_far_parts_that_sound_alike_differ(steady_part: Make, apart_db: float, alike: bool) -> None:
    parts = [steady_part(0, 20), steady_part(21, 31, -60 - apart_db)]
    assert (len(chosen(parts).parts) == 2) is alike


@pytest.mark.parametrize(("apart_db", "alike"), [(5.5, True), (9.5, False)])
def test_how_far_they_differ_in_one_band(steady_part: Make, apart_db: float, alike: bool) -> None:
    level = np.full(23, -60.0)
    level[4] -= apart_db
    parts = [steady_part(0, 20), steady_part(21, 31, level)]
    assert (len(chosen(parts).parts) == 2) is alike


@pytest.mark.parametrize(("count", "found"), [(2, False), (3, True)])
def test_the_shortest_part_at_an_end(steady_part: Make, count: int, found: bool) -> None:
    parts = [steady_part(0, count)]
    assert (choose(parts, recording(parts), np.arange(200), ChoiceSettings()) is not None) is found


@pytest.mark.parametrize(("count", "found"), [(6, False), (10, True)])
def test_the_shortest_pauses(steady_part: Make, count: int, found: bool) -> None:
    parts = [steady_part(90, 90 + count)]
    assert (choose(parts, recording(parts), np.arange(200), ChoiceSettings()) is not None) is found


@pytest.mark.parametrize(("below_db", "found"), [(19.0, True), (33.0, False)])
def test_another_state_of_the_record_is_not_used(steady_part: Make, below_db: float, found: bool) -> None:
    parts = [steady_part(0, 30, -60 - below_db)]
    assert (choose(parts, recording(parts), np.arange(200), ChoiceSettings()) is not None) is found


@pytest.mark.parametrize(("above_db", "found"), [(2.2, True), (3.9, False)])
def test_pauses_are_not_above_the_music(steady_part: Make, above_db: float, found: bool) -> None:
    parts = [steady_part(90, 120, -60 + above_db, spread=np.zeros((1, 23)))]
    assert (choose(parts, recording(parts), np.arange(200), ChoiceSettings()) is not None) is found


@pytest.mark.parametrize(("trend_db", "found"), [(-1.5, True), (-2.7, False)])
def test_a_fade_is_no_run_out(steady_part: Make, trend_db: float, found: bool) -> None:
    parts = [steady_part(170, 200, trend_db=trend_db)]
    assert (choose(parts, recording(parts), np.arange(200), ChoiceSettings()) is not None) is found


@pytest.mark.parametrize(("count", "trend_db", "found"), [(8, -1.5, True), (8, -2.7, False), (13, -2.7, True)])
def test_what_a_recording_begins_with_is_the_end_of_a_note_where_it_falls(
    steady_part: Make, count: int, trend_db: float, found: bool
) -> None:
    parts = [steady_part(0, count, trend_db=trend_db)]
    assert (choose(parts, recording(parts), np.arange(200), ChoiceSettings()) is not None) is found


def test_noise_that_wanders_as_much_is_no_fade(steady_part: Make) -> None:
    assert chosen([steady_part(170, 200, trend_db=-2.7, wander_db=3.0)]).place is Place.RUN_OUT


def cost(part: Segment, place: Place = Place.LEAD_IN, lift_db: float = 0.0) -> float:
    return Choice((part,), place, lift_db).cost


def test_what_speaks_against_a_choice(steady_part: Make) -> None:
    short, long = steady_part(0, 10), steady_part(0, 40)
    # 2 dB nearer to the music are worth four times the length.
    assert cost(short) == pytest.approx(cost(long, lift_db=3.0))
    assert cost(short, lift_db=1.0) == cost(short) == cost(short, lift_db=-1.0)
    assert cost(long, lift_db=-3.0) == pytest.approx(cost(long, lift_db=1.5))
    assert cost(long, Place.PAUSES) == pytest.approx(cost(long, lift_db=5.0))
    assert cost(long, Place.RUN_OUT) == pytest.approx(cost(long, lift_db=1.5))


@pytest.mark.parametrize(("rise_db", "plays"), [(2.3, False), (4.2, True)])
def test_what_does_not_rise_above_a_part_is_no_music(steady_part: Make, rise_db: float, plays: bool) -> None:
    levels = np.full((60, 1, 23), -60.0)
    levels[:20, :, ::4] += rise_db
    music = playing([steady_part(20, 60)], np.arange(60), levels)
    assert music[:20].all() == music[:20].any() == plays


@pytest.mark.parametrize(("moments", "first"), [(6, 40), (11, 10)])
def test_a_thump_is_no_music(moments: int, first: int) -> None:
    assert extent(np.array([*range(10, 10 + moments), *range(40, 90)])) == (first, 89)


@pytest.mark.parametrize(("name", "value", "sure"), [("seconds", 0.85, True), ("seconds", 0.55, False),
                                                     ("lift_db", 7.0, True), ("lift_db", 10.0, False)])  # fmt: skip
def test_what_makes_a_map_unsure(name: str, value: float, sure: bool) -> None:
    usual = {"seconds": 2.0, "lift_db": 0.0, "drift_db": 0.0, "limit_db": 15.0}
    trust = confidence_of(Place.LEAD_IN, **(usual | {name: value}))
    assert (trust.confidence == 1.0) is sure and (trust.reasons == ()) is sure
