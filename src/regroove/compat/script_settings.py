"""The keys of the original's configuration files, with their defaults; ``conf/*.yaml`` explains each."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Sizes of the network in a ``.pt`` checkpoint; None: that of the published ones."""

    octaves: int | None = None
    bins_per_octave: int | None = None
    channels: list[int] | None = None
    dilations: list[int] | None = None
    frequencies: int | None = None
    embedding: list[int] | None = None


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig:
    """Schedule and churn of the sampler, in the paper's symbols. Karras et al. 2022, algorithm 2.

    None: the published number, which for the noise levels depends on the network and the task.
    """

    sigma_data: float | None = None
    sigma_min: float | None = None
    sigma_max: float | None = None
    rho: float | None = None
    T: int | None = None
    Schurn: float | None = None
    Snoise: float | None = None
    Stmin: float | None = None
    Stmax: float | None = None
    order: int = 2


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """What noise is mixed into the estimates."""

    noise_folder: str | None = None
    noise_preset: str = "shellac"
    rpm: float = 78.0
    crossfade: float = 0.1


@dataclass(frozen=True, kw_only=True)
class MeasuredNoiseConfig(NoiseConfig):
    """Noise whose level is measured in windows of so many samples."""

    window: int = 8192


@dataclass(frozen=True, kw_only=True)
class ConditionConfig:
    """Conditional sampling in ``inference.py`` and ``testing.py``."""

    use_gain: bool = True
    use_range: bool = False
    xi: float | None = None
    noise_gain: float | None = None
    snr_range: list[float] | None = None
    max_gradient: float = 1.0
    batch_size: int = 1
    denoising: MeasuredNoiseConfig = field(default_factory=MeasuredNoiseConfig)


@dataclass(frozen=True, kw_only=True)
class TestingConfig:
    """The folder of panels that ``testing.py`` restores."""

    __test__ = False  # not a test, whatever pytest makes of its name

    folder: str | None = None
    panel: int = 1
    out: str = "restored"


@dataclass(frozen=True, kw_only=True)
class PriorConfig:
    """Which network, where, in blocks of which length; the top level of every configuration."""

    weights: str = "raw"
    device: str = "auto"
    sample_rate: int = 44_100
    audio_len: int = 44_100
    seed: int = 0
    compat: bool = True
    diffusion_parameters: DiffusionConfig = field(default_factory=DiffusionConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)


@dataclass(frozen=True, kw_only=True)
class RecordingConfig(PriorConfig):
    """A whole recording in overlapping blocks."""

    noisy_audio: str | None = None
    output_file: str | None = None
    checkpoint: str = "default"
    overlap: int = 11_025


@dataclass(frozen=True, kw_only=True)
class InferenceConfig(RecordingConfig):
    """``conf/inference.yaml``, of ``inference.py`` and ``testing.py``."""

    inference: ConditionConfig = field(default_factory=ConditionConfig)
    testing: TestingConfig = field(default_factory=TestingConfig)


@dataclass(frozen=True, kw_only=True)
class FixedNoiseConfig(NoiseConfig):
    """The noise of ``denoise.py``: one of ``gain`` and ``snr_range``, and the filters before and after."""

    gain: float | None = None
    snr_range: list[float] | None = None
    xi: float = 0.35
    max_gradient: float = 1.0
    batch_size: int = 1
    pre_filter: bool = False
    post_filter: bool = False
    filter_folder: str | None = None


@dataclass(frozen=True, kw_only=True)
class DenoiseConfig(RecordingConfig):
    """``conf/denoise.yaml``, of ``denoise.py``."""

    denoising: FixedNoiseConfig = field(default_factory=FixedNoiseConfig)
