"""From transfers to a plan: noise, alignment, evidence, responses; or a refusal that says why."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from regroove.audio.formats import MOST_TRANSFERS
from regroove.audio.source import Source
from regroove.errors import AudioError
from regroove.noise.find.finder import HearNoise
from regroove.noise.find.found import FoundNoise
from regroove.walls.transfers.align import Alignment, AlignSettings, Evidence, align, evidence
from regroove.walls.transfers.chosen_channels import ChosenChannels, seconds_of
from regroove.walls.transfers.combining import Observation, Plan
from regroove.walls.transfers.features import onsets
from regroove.walls.transfers.fine import compare
from regroove.walls.transfers.noises import ChannelNoise, find_noise, from_differences
from regroove.walls.transfers.response import FLAT, response_of
from regroove.walls.transfers.warp import identity

Progress = Callable[[str, float], None]
# The fewest recordings that are combined, and the shortest, in seconds: a window of onsets and a little.
FEWEST, SHORTEST = 2, 10.0


@dataclass(frozen=True, eq=False)
class Known:
    """What was found out about one transfer; ``alignment`` and ``evidence`` are None for the reference."""

    name: str
    found: FoundNoise
    alignment: Alignment | None
    evidence: Evidence | None


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan, and what it rests on, by transfer."""

    plan: Plan
    known: tuple[Known, ...]


def plan_of(
    sources: list[Source],
    names: list[str],
    *,
    reference: int = 0,
    mono: bool = False,
    hear: HearNoise | None = None,
    settings: AlignSettings | None = None,
    progress: Progress | None = None,
) -> Planned:
    """Find out how transfers of one performance are to be combined.

    Args:
        sources: 2 to 16 recordings of one or two channels.
        names: what each is called in sentences.
        reference: whose speed and timeline the result has.
        mono: whether all channels are observations of one; they are where any transfer has but one channel.
        hear: estimates noise through music, as the noise finder wants it.
        settings: what is taken for one performance.
        progress: called with ``"listening"`` or ``"aligning"`` and how much of it is done, 0 to 1.

    Raises:
        AudioError: there are too few or too many, one is too short or silent, or is not of the same performance.
    """
    s = settings or AlignSettings()
    tell = progress or (lambda stage, done: None)
    _check(sources, names)
    noises, founds = [], []
    for number, source in enumerate(sources):
        own, found = find_noise(source, hear=hear)
        noises.append(own)
        founds.append(found)
        tell("listening", (number + 1) / len(sources))
    first = onsets(sources[reference])
    if not first.any():
        raise AudioError(f"{names[reference]} is silent: there is nothing to align with.")
    known: list[Known] = []
    for number, (source, name) in enumerate(zip(sources, names, strict=True)):
        if number == reference:
            known.append(Known(name, founds[number], None, None))
            continue
        told = partial(_tell_one, tell, number, len(sources))
        try:
            alignment = align(sources[reference], source, known=first, settings=s, progress=told)
            proof = _proved(alignment, noises[reference], noises[number], s)
        except AudioError as error:
            raise AudioError(f"{name} is not a transfer of the performance in {names[reference]}: {error}.") from error
        known.append(Known(name, founds[number], alignment, proof))
    tell("aligning", 1.0)
    return Planned(_planned(sources, noises, known, reference, mono), tuple(known))


def _tell_one(tell: Progress, number: int, count: int, done: float) -> None:
    tell("aligning", (number + done) / count)


def _check(sources: list[Source], names: list[str]) -> None:
    if not FEWEST <= len(sources) <= MOST_TRANSFERS:
        raise AudioError(f"{FEWEST} to {MOST_TRANSFERS} transfers are combined, not {len(sources)}.")
    for source, name in zip(sources, names, strict=True):
        if seconds_of(source) < SHORTEST:
            raise AudioError(f"{name} is too short: {SHORTEST:.0f} seconds at least are needed to align it.")


def _proved(
    alignment: Alignment, noise_x: tuple[ChannelNoise, ...], noise_y: tuple[ChannelNoise, ...], s: AlignSettings
) -> Evidence:
    """The evidence, if it is enough."""
    proof = evidence(alignment, *(np.mean([n.band_powers() for n in own], axis=0) for own in (noise_x, noise_y)))
    if proof.share < s.share:
        raise AudioError(
            f"aligned, their correlation is {proof.share:.0%} of what their noise allows, where one performance has "
            f"over {s.share:.0%}"
        )
    return proof


def _planned(
    sources: list[Source], noises: list[tuple[ChannelNoise, ...]], known: list[Known], reference: int, mono: bool
) -> Plan:
    own = sources[reference]
    warps = tuple(identity(seconds_of(own)) if k.alignment is None else k.alignment.warp for k in known)
    one = mono or any(source.channels == 1 for source in sources)
    groups = []
    for channel in range(1 if one else own.channels):
        group = []
        for number, source in enumerate(sources):
            for mine in range(source.channels) if one else (channel,):
                group.append(_observed(sources, noises, known, (reference, channel), (number, mine)))
        groups.append(tuple(group))
    return Plan(tuple(sources), warps, reference, tuple(groups))


def _observed(
    sources: list[Source],
    noises: list[tuple[ChannelNoise, ...]],
    known: list[Known],
    reference: tuple[int, int],
    own: tuple[int, int],
) -> Observation:
    """A channel of a transfer against the channel of the reference that it is matched to."""
    number, channel = own
    alignment = known[number].alignment
    noise = noises[number][channel]
    if own == reference and noise.known:
        return Observation(number, channel, FLAT, noise)
    other = own if own != reference else next((k, 0) for k in range(len(sources)) if k != number)
    paired = known[other[0]].alignment
    pieces = identity(seconds_of(sources[reference[0]])).pieces if paired is None else paired.warp.pieces
    one, two = (ChosenChannels(sources[n], (c,)) for n, c in (reference, other))
    tracks = [compare(one, two, piece) for piece in pieces]
    if own == reference:
        return Observation(number, channel, FLAT, from_differences(tracks, of_reference=True))
    powers = [n.band_powers() if n.known else np.zeros(1) for n in (noises[reference[0]][reference[1]], noise)]
    polarity = 1 if alignment is None else alignment.polarity
    response = response_of(tracks, *powers, polarity=polarity)
    return Observation(
        number, channel, response, noise if noise.known else from_differences(tracks, of_reference=False)
    )
