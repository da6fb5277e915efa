"""The keys of ``conf/conf.yaml``, of ``sample.py`` and ``train.py``, with their defaults; the file explains each."""

from dataclasses import dataclass, field

from regroove.compat.script_settings import NoiseConfig, PriorConfig
from regroove.training.reference.training_schedule import ReferenceSchedule


@dataclass(frozen=True, kw_only=True)
class DatasetConfig:
    """Where the music is: ``conf/dset/maestro.yaml``."""

    name: str = "maestro"
    path: str | None = None
    metadata: str = "maestro-v3.0.0.csv"
    split: str = "test"
    years: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class UnconditionalConfig:
    """Generation from nothing."""

    num_samples: int = 4


@dataclass(frozen=True, kw_only=True)
class BandwidthConfig:
    """Filters: ``firwin``, ``firwin_hpf``, ``cheby1``, ``biquad``, ``resample`` or ``decimate``."""

    filter: str = "firwin"
    fc: float = 1000.0
    order: int = 500
    cheby_order: int = 8
    ripple: float = 0.05
    Q: float = 0.5**0.5
    fs: int = 2000
    factor: int = 16


@dataclass(frozen=True, kw_only=True)
class InpaintingConfig:
    """A gap, in milliseconds; in the middle unless its start is given."""

    gap_length: float = 100.0
    start_gap: float | None = None


@dataclass(frozen=True, kw_only=True)
class DeclippingConfig:
    """Clipping to an SDR in dB, unless at a value."""

    sdr: float = 3.0
    clip_value: float | None = None


@dataclass(frozen=True, kw_only=True)
class PhaseConfig:
    """The STFT whose magnitude is known, in samples."""

    win_size: int = 1024
    hop_size: int = 256


@dataclass(frozen=True, kw_only=True)
class SensingConfig:
    """Percentage of samples that are known."""

    percentage: float = 10.0


@dataclass(frozen=True, kw_only=True)
class SampleNoiseConfig(NoiseConfig):
    """Noise that is added and removed: one of ``gain`` and ``snr_range`` gives the sampler its level.

    ``noise_file`` is what is added to every clip; without it an excerpt of the inference set is drawn for each.
    """

    noise_file: str | None = None
    gain: float | None = None
    snr_range: list[float] | None = None


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """What is done to every file, and how it is undone."""

    mode: str = "inpainting"
    folder: str | None = None
    max_files: int | None = None
    start: float = 0.0
    xi: float = 0.35
    data_consistency: bool = False
    max_gradient: float = 1.0
    final_lowpass: float | None = None
    noise_in_observations_SNR: float | None = None
    animation: bool = False
    unconditional: UnconditionalConfig = field(default_factory=UnconditionalConfig)
    bandwidth_extension: BandwidthConfig = field(default_factory=BandwidthConfig)
    inpainting: InpaintingConfig = field(default_factory=InpaintingConfig)
    declipping: DeclippingConfig = field(default_factory=DeclippingConfig)
    phase_retrieval: PhaseConfig = field(default_factory=PhaseConfig)
    compressive_sensing: SensingConfig = field(default_factory=SensingConfig)
    denoising: SampleNoiseConfig = field(default_factory=SampleNoiseConfig)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(ReferenceSchedule):
    """How ``train.py`` trains, and on what."""

    folder: str | None = None
    split: str = "train"


@dataclass(frozen=True, kw_only=True)
class SampleConfig(PriorConfig):
    """``conf/conf.yaml``, of ``sample.py`` and ``train.py``."""

    model_dir: str | None = None
    checkpoint_id: str | None = None
    output_dir: str = "samples"
    inference: TaskConfig = field(default_factory=TaskConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    dset: DatasetConfig = field(default_factory=DatasetConfig)
