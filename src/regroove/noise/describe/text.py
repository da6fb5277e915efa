"""The description of a recording's noise as a restorer reads it in a terminal."""

from collections.abc import Iterable

from regroove.noise.describe.bandwidth import Band
from regroove.noise.describe.description import ChannelNoise, NoiseDescription
from regroove.noise.describe.likeness import Alike, Likeness
from regroove.noise.describe.octaves import OCTAVES
from regroove.noise.find.found import FoundNoise
from regroove.noise.find.lines import Line, Lines

_MOST_LINES = 6


def clock(seconds: float) -> str:
    """A time as ``m:ss.s``, which ``--noise-region`` reads.

    >>> clock(62.45)
    '1:02.5'
    """
    tenths = int(seconds * 10 + 0.5)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def describe_in_words(description: NoiseDescription) -> str:
    """All of it, a line for each thing."""
    found = description.found
    rows = [
        ("Noise from", _place(found)),
        ("Confidence", f"{found.confidence:.0%}"),
        *(("", reason) for reason in found.reasons),
        *_channel_rows(description.channels),
        ("Noise band", _band(description.noise_hz, "none")),
        ("Music band", _band(description.music_hz, "nowhere above the noise" if description.noise_hz else "not known")),
        ("Clicks", f"{description.clicks_per_minute:.0f} a minute"),
        *([] if description.likeness is None else [("Channels", _likeness(description.likeness))]),
        *_state_rows(found),
    ]
    return "\n".join(f"{name:<11} {text}" for name, text in rows)


def _place(found: FoundNoise) -> str:
    if not found.measured:
        return found.place.value
    parts = ", ".join(f"{clock(start)}-{clock(end)}" for start, end in found.measured[:4])
    more = f" and {len(found.measured) - 4} more" if len(found.measured) > 4 else ""
    return f"{found.place.value}, {found.seconds:.1f} s: {parts}{more}"


def _channel_rows(channels: tuple[ChannelNoise, ...]) -> Iterable[tuple[str, str]]:
    names = ("Noise",) if len(channels) == 1 else ("Left", "Right")
    if all(channel.level_dbfs is None for channel in channels):
        return
    yield "Octave, Hz", "".join(f"{_short(centre):>6}" for centre in OCTAVES) + "   all"
    for name, channel in zip(names, channels, strict=True):
        levels = [*channel.octaves_dbfs.values(), channel.level_dbfs]
        yield f"{name}, dBFS", "".join(f"{'-' if db is None else f'{db:.0f}':>6}" for db in levels)
    for what, text in (("Drift", _drift), ("Tones", _tones)):
        texts = [text(channel) for channel in channels]
        if len(set(texts)) == 1:
            yield what, texts[0]
        else:
            yield from ((what, f"{name.lower()}: {each}") for name, each in zip(names, texts, strict=True))


def _drift(channel: ChannelNoise) -> str:
    low, high = channel.drift_db
    return f"{low:+.1f} to {high:+.1f} dB along the recording" if low or high else "none"


def _short(hertz: float) -> str:
    return f"{hertz / 1000:g}k" if hertz >= 1000 else f"{hertz:g}"


def _tones(channel: ChannelNoise) -> str:
    lines = channel.lines
    single = sorted(lines.single, key=lambda line: -line.over_db)
    parts = [*([_hum(lines)] if lines.hum else []), *(_tone(line) for line in single[:_MOST_LINES])]
    more = len(single) - _MOST_LINES
    return ("; ".join(parts) + (f"; {more} more" if more > 0 else "")) or "none"


def _hum(lines: Lines) -> str:
    loudest = max((line for _, line in lines.hum), key=lambda line: line.level_dbfs)
    if len(lines.hum) == 1:
        return f"mains hum, {_tone(loudest)}"
    numbers = ", ".join(str(number) for number, _ in lines.hum[:_MOST_LINES])
    more = ", ..." if len(lines.hum) > _MOST_LINES else ""
    return f"mains hum of {lines.mains_hz:.1f} Hz, harmonics {numbers}{more}, the loudest {_tone(loudest)}"


def _tone(line: Line) -> str:
    return f"{line.frequency_hz:.0f} Hz at {line.level_dbfs:.0f} dBFS"


def _band(band: Band | None, nothing: str) -> str:
    return nothing if band is None else f"{_hertz(band[0])} to {_hertz(band[1])}"


def _hertz(value: float) -> str:
    return f"{value / 1000:.1f} kHz" if value >= 1000 else f"{value:.0f} Hz"


def _likeness(like: Likeness) -> str:
    parts = [like.alike.value]
    if like.difference_db is not None:
        parts.append(f"L-R {like.difference_db:+.1f} dB against L+R")
    if like.alike is not Alike.IDENTICAL and like.correlation is not None and like.gain_db is not None:
        parts.append(f"correlation {like.correlation:.3f}, right {like.gain_db:+.1f} dB")
    return "; ".join(parts)


def _state_rows(found: FoundNoise) -> Iterable[tuple[str, str]]:
    for number, span in enumerate(found.states):
        yield ("" if number else "States"), f"{clock(span.start):>7} - {clock(span.end):>7}  {span.state.value}"
