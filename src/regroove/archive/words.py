"""Durations and sizes in words."""


def duration(seconds: float) -> str:
    """A duration as a person says it.

    >>> duration(42), duration(200), duration(20_000), duration(1e6)
    ('42 s', '3 min', '5.6 h', '11.6 days')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 100 * 3600 else f"{seconds / 86400:.1f} days"


def size(count: int) -> str:
    """Bytes as a person says it.

    >>> size(1_500_000), size(3 * 10**12)
    ('1.5 MB', '3.0 TB')
    """
    for unit, factor in (("TB", 1e12), ("GB", 1e9)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e6:.1f} MB"
