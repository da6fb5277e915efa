"""The reference engine: a diffusion sampler guided by the recording through the network, block by block.

A block's state starts as white noise and follows the EDM sampler; at every evaluation the clean estimate is made
noisy again with an excerpt of record noise and compared with the recording, and the gradient of the difference steers
the state. Slow: 279 guided evaluations for every 0.75 s of audio.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.guidance import GuidanceSettings, ReconstructionGuidance
from regroove.diffusion.randomness import ItemNoise, item_generators
from regroove.diffusion.schedules import ChurnSettings, KarrasSettings, karras_sigmas
from regroove.diffusion.solvers import sample
from regroove.errors import SettingsError
from regroove.networks.checkpoints import load_model
from regroove.noise.banks import NoiseBank
from regroove.noise.powers import WINDOW, PowerRange, power_range
from regroove.operators.mixing import GainMixing, SnrMixing, UniformSnr
from regroove.restoration.engines.base import BlockId, BlockLayout
from regroove.restoration.priors import white_noise_prior

DEFAULT_STEPS = 140
CHURN = ChurnSettings(amount=5.0)
NOISE_PRESET = "shellac"
# Samples in a block (3 s) when the default network is the prior, which has no block length of its own.
MATCHED_BLOCK = 1 << 17
# Far above the music; the default network answers far louder noise with silence, from which no block comes back.
SIGMA_MAX, MATCHED_SIGMA_MAX = 10.0, 1.0


@dataclass(frozen=True, kw_only=True)
class CqtDiffSettings:
    """How the reference engine restores.

    Args:
        mode: ``fixed-gain``, ``fixed-snr``, ``estimated-gain`` or ``estimated-snr``.
        gain: RMS of the noise, for ``fixed-gain``. snr: lowest and highest SNR in dB, for ``fixed-snr``.
        xi: weight of the guidance; None: from the noise floor.
        steps: of the schedule from the highest sigma to 1e-6.
        compat: repeat the published code: the recording is taken for half the music, which doubles the level; one
            norm for a whole batch; digital silence hides the noise.

    Raises:
        SettingsError: the mode is unknown, lacks its number, or was given one that it has no use for.
    """

    mode: str = "estimated-gain"
    gain: float | None = None
    snr: tuple[float, float] | None = None
    xi: float | None = None
    steps: int = DEFAULT_STEPS
    compat: bool = False

    def __post_init__(self) -> None:
        needs = {"fixed-gain": "gain", "fixed-snr": "snr", "estimated-gain": None, "estimated-snr": None}
        if self.mode not in needs:
            raise SettingsError(f"There is no noise mode {self.mode!r}; choose one of {', '.join(needs)}.")
        for name in ("gain", "snr"):
            given, needed = getattr(self, name) is not None, needs[self.mode] == name
            if given != needed:
                raise SettingsError(
                    f"The noise mode {self.mode} {'needs' if needed else 'has no use for'} a noise {name}."
                )


class CqtDiffEngine:
    """The reference's 78 RPM denoiser for any ``denoiser(x, sigma)``.

    Args:
        denoiser: maps ``(items, block)`` samples at noise level ``sigma`` (items,) to the clean estimate.
        bank: the excerpts of noise to mix with.
        settings: see :class:`CqtDiffSettings`.
        block: samples in a block; neighbouring blocks overlap by a quarter.
        sigma_max: where the schedule starts.
        device: where the denoiser is.
    """

    name = "cqtdiff"
    batch_size = workers = 1

    def __init__(
        self,
        denoiser: Denoiser,
        bank: NoiseBank,
        settings: CqtDiffSettings,
        *,
        block: int,
        sigma_max: float = 10.0,
        device: str = "cpu",
    ) -> None:
        self.denoiser, self.bank, self.settings, self.device = denoiser, bank, settings, torch.device(device)
        self.sample_rate, self.sigma_max = bank.sample_rate, sigma_max
        self.layout = BlockLayout(block=block, context=0, fade=block // 4)
        self.details: dict[str, object] = {}
        self._ranges: list[PowerRange] = []

    def observe(self, chunks: Iterable[Tensor]) -> None:
        """Measure the lowest and highest power of every channel of ``(channels, time)`` chunks."""
        self._ranges = []
        tails: list[Tensor] = []
        for chunk in chunks:
            tails = tails or [chunk.new_zeros(0) for _ in chunk]
            joined = [torch.cat(pair) for pair in zip(tails, chunk, strict=True)]
            if len(joined[0]) >= WINDOW:
                self._widen([power_range(x, ignore_silence=not self.settings.compat) for x in joined])
            tails = [x[-(WINDOW - 1) :] for x in joined]
        if not self._ranges:
            # Shorter than one window: the whole recording is the window.
            self._ranges = [power_range(x, window=len(x), ignore_silence=False) for x in tails]

    def _widen(self, measured: list[PowerRange]) -> None:
        known = self._ranges or measured
        self._ranges = [
            PowerRange(floor=min(a.floor, b.floor), ceil=max(a.ceil, b.ceil))
            for a, b in zip(known, measured, strict=True)
        ]

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)``; with equal seeds an item's result does not depend on the batch it is in."""
        y = blocks.to(self.device)
        generators = item_generators([i.seed for i in ids])
        noise = ItemNoise(generators)
        schedule = KarrasSettings(steps=self.settings.steps, sigma_min=1e-6, sigma_max=self.sigma_max)
        sigmas = karras_sigmas(schedule)
        guidance = ReconstructionGuidance(
            self._operator(blocks, ids, generators),
            y,
            settings=GuidanceSettings(norm="batch" if self.settings.compat else "item"),
            xi=torch.tensor([self._xi(i) for i in ids]),
        )
        x = float(sigmas[0]) * noise(y)
        return sample(self.denoiser, x, sigmas=sigmas, guidance=guidance, churn=CHURN, noise=noise).to(blocks.device)

    def _xi(self, block: BlockId) -> float:
        return self._ranges[block.channel].xi if self.settings.xi is None else self.settings.xi

    def _operator(
        self, blocks: Tensor, ids: Sequence[BlockId], generators: Sequence[torch.Generator]
    ) -> GainMixing | SnrMixing:
        s, halve = self.settings, self.settings.compat
        source = self._source(generators)
        if s.mode.endswith("gain"):
            gains = [self._ranges[i.channel].gain if s.gain is None else s.gain for i in ids]
            return GainMixing(source, gain=torch.tensor(gains, device=self.device)[:, None], halve=halve)
        pairs = zip(blocks, ids, strict=True)
        limits = [
            self._ranges[i.channel].snr_range(b, window=min(WINDOW, len(b))) if s.snr is None else s.snr
            for b, i in pairs
        ]
        low, high = zip(*limits, strict=True)
        return SnrMixing(source, snr_db=UniformSnr(low, high, generators=generators), halve=halve)

    def _source(self, generators: Sequence[torch.Generator]) -> Callable[[Tensor], Tensor]:
        def draw(x: Tensor) -> Tensor:
            drawn = [self.bank.draw(x.shape[-1], generator=generator) for generator in generators]
            return torch.stack(drawn).to(x)

        return draw

    def notes(self) -> list[str]:
        """Nothing: this engine says where its noise comes from, and takes what it is given."""
        return []

    def describe(self) -> dict[str, object]:
        """The engine, its mode, and what it measured of every channel."""
        return {
            "engine": self.name,
            "noise_mode": self.settings.mode,
            "steps": self.settings.steps,
            "compat": self.settings.compat,
            "estimated_gain": [round(r.gain, 8) for r in self._ranges],
            "xi": [self._xi(BlockId(channel=c, index=0, seed=0)) for c in range(len(self._ranges))],
            **self.details,
        }


def cqtdiff_engine(
    settings: CqtDiffSettings, *, model: str, noise_set: str | None, device: str, batch_size: int | None = None
) -> CqtDiffEngine:
    """Build the engine from a model and a folder of noise (None: the synthesiser's shellac).

    The model is a checkpoint of the reference, or one of the matched engine, which then serves as the prior.

    Raises:
        ModelError: the model is unknown or damaged.
        AudioError: the folder holds no noise.
    """
    loaded = load_model(model, device=device)
    rate = loaded.card.sample_rate
    if noise_set is None:
        bank = NoiseBank.synthetic(NOISE_PRESET, sample_rate=rate)
    else:
        bank = NoiseBank.from_folder(noise_set, sample_rate=rate)
    prior = white_noise_prior(loaded)
    block, sigma_max = (prior.length, SIGMA_MAX) if prior.length else (MATCHED_BLOCK, MATCHED_SIGMA_MAX)
    engine = CqtDiffEngine(prior.denoiser, bank, settings, block=block, sigma_max=sigma_max, device=device)
    engine.batch_size = batch_size or 1
    engine.details = {
        "model": loaded.name,
        "model_sha256": loaded.sha256,
        "noise_set": noise_set or f"synthetic {NOISE_PRESET}",
    }
    return engine
