"""Engines with their models, which a worker keeps for the next recordings."""

from collections import OrderedDict
from collections.abc import Hashable

from regroove.restoration.engines.engine import Engine
from regroove.restoration.restorer import build_engine
from regroove.restoration.settings import RestoreSettings

# As many as a batch has kinds of settings, mostly; the largest bundled network takes 13 MB.
MOST = 4


class KeptEngines:
    """Engines by the settings that they are built with: strength, walls and outputs need no other engine.

    >>> engines = KeptEngines()
    >>> whole, half = (engines.of(RestoreSettings(engine="wiener", strength=s)) for s in (1.0, 0.5))
    >>> whole is half
    True
    """

    def __init__(self) -> None:
        self._engines: OrderedDict[Hashable, Engine] = OrderedDict()

    def of(self, settings: RestoreSettings) -> Engine:
        """The engine for settings; that which was not used for the longest time may be dropped for it."""
        common = settings.common
        key = (common.engine, settings.own, common.device, common.seed, common.batch_size)
        if key not in self._engines:
            self._engines[key] = build_engine(settings)
            if len(self._engines) > MOST:
                self._engines.popitem(last=False)
        self._engines.move_to_end(key)
        return self._engines[key]
