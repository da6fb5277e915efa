"""Configuration files and dotted overrides of the original's scripts."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from regroove.compat.config import known_keys, nearest, read_config
from regroove.compat.degrading import NoiseGainConfig
from regroove.compat.original_keys import ORIGINAL_KEYS
from regroove.compat.sample_settings import SampleConfig
from regroove.compat.script_settings import DenoiseConfig, InferenceConfig
from regroove.diffusion.schedules import PUBLISHED_CHURN, cqtdiff_schedule, shellac_schedule
from regroove.errors import SettingsError
from regroove.networks.cqt_unet import CqtUNetSettings
from regroove.networks.reference_checkpoints import SIGMA_DATA

CONF = Path(__file__).parents[1] / "compat" / "conf"
SCHEMAS: dict[str, type] = {
    "inference": InferenceConfig,
    "denoise": DenoiseConfig,
    "noise_gain": NoiseGainConfig,
    "conf": SampleConfig,
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_file_explains_every_key_and_holds_the_defaults(name: str) -> None:
    file = CONF / f"{name}.yaml"
    assert read_config(SCHEMAS[name], file) == SCHEMAS[name]()
    for key in known_keys(SCHEMAS[name]):
        if key.startswith("dset."):
            continue
        assert OmegaConf.select(OmegaConf.load(file), key, default="absent") != "absent", key


@pytest.mark.parametrize("name", ["inference", "denoise", "conf"])
def test_the_published_numbers_in_the_comments_are_those_of_the_code(name: str) -> None:
    lines = (CONF / f"{name}.yaml").read_text().splitlines()
    said = {m[1]: m[2] for line in lines if (m := re.match(r"  (\w+): null +# (.*)", line))}
    sizes = CqtUNetSettings(sample_rate=44_100, length=44_100)
    for key in ("octaves", "bins_per_octave", "channels", "dilations", "frequencies", "embedding"):
        value = getattr(sizes, key)
        assert yaml.safe_load(said[key]) == (value if isinstance(value, int) else list(value))
    churn = {"Schurn": "amount", "Snoise": "noise", "Stmin": "sigma_min", "Stmax": "sigma_max"}
    assert {key: float(said[key]) for key in churn} == {k: getattr(PUBLISHED_CHURN, v) for k, v in churn.items()}
    assert f"{SIGMA_DATA:g}" in said["sigma_data"]
    # The music tasks of sample.py have the other schedule, which is also that of the bundled network.
    first, other = shellac_schedule(), cqtdiff_schedule()
    first, other = (other, first) if name == "conf" else (first, other)
    for key, field in (("sigma_min", "sigma_min"), ("sigma_max", "sigma_max"), ("T", "steps"), ("rho", "rho")):
        numbers = [float(n) for n in re.findall(r"\d+(?:e-\d+)?", said[key])]
        assert numbers[0] == getattr(first, field) and (key == "rho" or getattr(other, field) in numbers)


def test_overrides_have_the_types_of_their_keys() -> None:
    made = read_config(
        InferenceConfig,
        CONF / "inference.yaml",
        [
            "noisy_audio=001",
            "output_file=a [b] ${c}=d.wav",
            "device=cuda:1",
            "inference.xi=0.35",
            "inference.use_gain=False",
            "inference.use_range=True",
            "inference.snr_range=[3,12.5]",
            "diffusion_parameters.T=7",
        ],
    )
    assert (made.noisy_audio, made.output_file, made.device) == ("001", "a [b] ${c}=d.wav", "cuda:1")
    assert (made.inference.xi, made.inference.use_gain, made.inference.use_range) == (0.35, False, True)
    assert (made.inference.snr_range, made.diffusion_parameters.T) == ([3.0, 12.5], 7)
    again = read_config(InferenceConfig, CONF / "inference.yaml", ["inference.xi=0.35", "inference.xi=null"])
    assert again.inference.xi is None


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("noisy_audo=a.wav", "there is no key noisy_audo; the nearest is noisy_audio"),
        ("xi=0.35", "the nearest is inference.xi"),
        ("inference.use_gian=True", "the nearest is inference.use_gain"),
        ("difusion_parameters.T=3", "the nearest is diffusion_parameters.T"),
        ("inference.xi=much", "inference.xi cannot be 'much'"),
        ("inference.use_gain=perhaps", "inference.use_gain cannot be 'perhaps'"),
        ("diffusion_parameters.T=1.5", "diffusion_parameters.T cannot be 1.5"),
        ("inference.snr_range=[1", "inference.snr_range cannot be '[1'"),
        ("noisy_audio", "not of the form key=value"),
    ],
)
def test_mistakes_are_named(override: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_config(InferenceConfig, CONF / "inference.yaml", [override])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_keys_of_a_file_are_errors_too(tmp_path: Path) -> None:
    file = tmp_path / "inference.yaml"
    file.write_text("inference:\n  ksi: 1\n")
    with pytest.raises(SettingsError, match=r"inference\.yaml: there is no key inference\.ksi"):
        read_config(InferenceConfig, file)
    for content in ("a: [", "- a list\n", "inference: 3\n"):
        file.write_text(content)
        with pytest.raises(SettingsError):
            read_config(InferenceConfig, file)
    with pytest.raises(SettingsError, match="There is no configuration file"):
        read_config(InferenceConfig, tmp_path / "none.yaml")


def test_the_nearest_key_is_found_by_either_part() -> None:
    assert nearest("noise_folder", list(known_keys(InferenceConfig))) == "inference.denoising.noise_folder"


def test_a_data_set_is_chosen_by_its_name(tmp_path: Path) -> None:
    shutil.copytree(CONF, tmp_path / "conf")
    file = tmp_path / "conf" / "conf.yaml"
    (tmp_path / "conf" / "dset" / "mine.yaml").write_text("name: mine\nyears: [2006]\n")
    chosen = read_config(SampleConfig, file, ["dset=mine", "dset.path=/music"]).dset
    assert (chosen.name, chosen.path, chosen.years, chosen.split) == ("mine", "/music", [2006], "test")
    with pytest.raises(SettingsError, match="There is no configuration file"):
        read_config(SampleConfig, file, ["dset=none"])
    with pytest.raises(SettingsError, match=r"the nearest is dset\.path"):
        read_config(SampleConfig, file, ["dset.pth=/music"])


# The names in the original's configuration files.
_SHARED = """crossfade_duration block_duration overlap_duration noisy_audio output_file audio_len sample_rate device
    checkpoint inference.xi inference.order inference.data_consistency inference.T inference.max_thresh_grads
    inference.denoising.noise_files_path inference.denoising.crossfade_duration"""
_TRANSFORM = """cqt.binsoct cqt.numocts cqt.fmax cqt.fmin cqt.use_norm diffusion_parameters.sigma_data
    diffusion_parameters.sigma_min diffusion_parameters.sigma_max diffusion_parameters.P_mean diffusion_parameters.P_std
    diffusion_parameters.ro diffusion_parameters.ro_train diffusion_parameters.Schurn diffusion_parameters.Snoise
    diffusion_parameters.Stmin diffusion_parameters.Stmax"""
THEIRS = {
    "inference": f"""{_SHARED} {_TRANSFORM} testing.folder testing.panel testing.out inference.infer_xi
        inference.use_gain inference.use_range inference.denoising.power_window_size inference.noise_gain
        inference.snr_range""",
    "denoise": f"""{_SHARED} {_TRANSFORM} filtering.use_postfilter filtering.use_prefilter filtering.save_path
        filtering.points_per_band filtering.bandpass_power filtering.order inference.denoising.noise_gain
        inference.denoising.snr_range""",
    "conf": f"""{_TRANSFORM} wandb.entity wandb.project wandb.run_name model_dir architecture sample_rate audio_len
        resample_factor num_workers device sashimi.unconditional sashimi.L stft.win_size stft.model.hop_size
        unet.padding unet.conditioner.use_conditioning save_model unet_STFT.depth lr batch_size ema_rate
        scheduler_step_size scheduler_gamma restore checkpoint_id log log_interval save_interval n_bins inference.mode
        inference.load.load_mode inference.load.audio inference.load.data_directory inference.load.seg_size
        inference.load.seg_idx inference.checkpoint inference.exp_name inference.T inference.num_sample_chunks
        inference.unconditional.num_samples inference.xi inference.data_consistency inference.sampler
        inference.noise_in_observations_SNR inference.bandwidth_extension.decimate.factor
        inference.bandwidth_extension.filter.type inference.bandwidth_extension.filter.fc
        inference.bandwidth_extension.filter.order inference.bandwidth_extension.filter.fir_order
        inference.bandwidth_extension.filter.beta inference.bandwidth_extension.filter.ripple
        inference.bandwidth_extension.filter.resample.fs inference.bandwidth_extension.filter.biquad.Q
        inference.inpainting.gap_length inference.inpainting.start_gap_idx inference.comp_sens.percentage
        inference.phase_retrieval.win_size inference.phase_retrieval.hop_size inference.max_thresh_grads
        inference.type_spec inference.declipping.SDR inference.declipping.clip_value
        inference.denoising.noise_files_path inference.denoising.noise_file inference.denoising.crossfade_duration
        inference.denoising.noise_gain extra_info sde_type sde_kwargs.gamma sde_kwargs.sigma_max hydra.job.config
        dset.name dset.path dset.years dset.years_test""",
}


@pytest.mark.parametrize("name", THEIRS)
def test_every_key_of_the_original_is_known_or_named(name: str, tmp_path: Path) -> None:
    known, table = known_keys(SCHEMAS[name]), ORIGINAL_KEYS[SCHEMAS[name]]
    assert not set(table) & set(known)
    named = set()
    for key in set(THEIRS[name].split()) - set(known):
        with pytest.raises(SettingsError) as error:
            read_config(SCHEMAS[name], CONF / f"{name}.yaml", [f"{key}=1"])
        above = [entry for entry in table if key == entry or key.startswith(f"{entry}.")]
        assert len(above) == 1, key
        named |= set(above)
        assert table[above[0]] in str(error.value) and "the nearest" not in str(error.value)
        # What stands for it is a key of ours, or a reason.
        assert table[above[0]] in known or " " in table[above[0]]
    assert named == set(table)


def test_a_file_of_the_original_is_told_what_to_rename(tmp_path: Path) -> None:
    file = tmp_path / "denoise.yaml"
    for content, said in (
        ("filtering:\n  use_prefilter: True\n", "filtering.use_prefilter is called denoising.pre_filter here"),
        ("inference:\n  denoising:\n    snr_range: 3\n", "is called denoising.snr_range here"),
        ("cqt:\n  fmin: 150\n", "cqt.fmin is not used here: the original does not use it either"),
    ):
        file.write_text(content)
        with pytest.raises(SettingsError, match=said):
            read_config(DenoiseConfig, file)
