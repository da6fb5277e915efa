"""Configuration files and dotted overrides of the original's scripts."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from regroove.compat.config import known_keys, nearest, read_config
from regroove.compat.degrading import NoiseGainConfig
from regroove.compat.sample_settings import SampleConfig
from regroove.compat.settings import DenoiseConfig, InferenceConfig
from regroove.errors import SettingsError

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
