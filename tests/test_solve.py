"""Solving for samples in memory: what is known stays, what is missing comes near the truth, damage is found."""

from pathlib import Path

import numpy as np
import pytest
import torch

from regroove.errors import AudioError, SettingsError
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import build_network, save_model
from regroove.solve.arrays import declip, extend, generate, inpaint, retrieve, sense
from regroove.solve.detection import find_clip_levels, find_cutoff, find_gaps
from regroove.solve.methods.autoregressive import bridge, burg, fill
from regroove.solve.methods.sparse import SparseSettings, sparse_reconstruction
from regroove.solve.prior import PriorSettings, load_prior
from regroove.solve.solver import pieces
from regroove.solve.tasks.declipping import ClipLimits, Limits
from regroove.solve.tasks.generation import spectrum_of

RATE = 44_100


def music(seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    """Decaying harmonic notes, never exactly zero."""
    t = np.arange(round(rate * seconds)) / rate
    x = np.zeros(len(t))
    for i, start in enumerate(np.arange(-0.2, seconds, 0.3)):
        age = t - start
        pitch = 220 * 2 ** ((i * 7 % 12) / 12)
        note = sum(np.sin(2 * np.pi * k * pitch * age + k) * np.exp(-age.clip(0) * (1 + k)) / k for k in range(1, 9))
        x += 0.2 * np.sin(np.pi / 2 * np.clip(age / 0.01, 0, 1)) ** 2 * note
    return x + 1e-4 * np.random.default_rng(1).standard_normal(len(t))


def sdr(truth: np.ndarray, estimate: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(truth**2) / np.sum((truth - estimate) ** 2)))


def test_burg_finds_the_process_that_made_a_signal() -> None:
    noise = np.random.default_rng(0).standard_normal(20_000)
    x = np.zeros(len(noise))
    for n in range(2, len(x)):
        x[n] = 1.5 * x[n - 1] - 0.8 * x[n - 2] + noise[n]
    assert burg(x, order=2) == pytest.approx([1, -1.5, 0.8], abs=0.02)
    assert burg(np.zeros(50), order=3) == pytest.approx([1.0])


def test_fill_leaves_less_prediction_error_than_any_other_values() -> None:
    x = music(0.2)
    missing = np.zeros(len(x), dtype=bool)
    missing[4000:4060] = True
    start = np.where(missing, 0.0, x)
    a = burg(start, order=30)
    best = fill(start, missing, order=30, pull=0.0)

    def error(y: np.ndarray) -> float:
        return float(np.sum(np.convolve(a, y) ** 2))

    for seed in range(3):
        other = best + 1e-3 * missing * np.random.default_rng(seed).standard_normal(len(x))
        assert error(best) < error(other)
    assert np.array_equal(best[~missing], x[~missing])


def test_bridge_needs_one_side_only() -> None:
    x = np.sin(np.arange(900) * 0.3)
    assert np.allclose(bridge(x[:0], x[20:], order=10, count=20), x[:20], atol=0.05)
    assert np.allclose(bridge(x[:400], x[:0], order=10, count=20), x[400:420], atol=0.05)
    assert not bridge(x[:0], x[:0], order=10, count=5).any()


def test_sparse_reconstruction_stays_within_its_bounds() -> None:
    x = music(0.3)
    kept = np.random.default_rng(0).random(len(x)) < 0.3
    low, high = np.where(kept, x, -0.5), np.where(kept, x, 0.5)
    done = sparse_reconstruction(low, high, SparseSettings(window=1024, hop=256))
    assert (done >= low).all() and (done <= high).all()
    assert sdr(x, done) > 15


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_inpainting_finds_and_fills_gaps_and_leaves_the_rest(rate: int) -> None:
    x = np.stack([music(0.8, rate), music(0.8, rate)[::-1]])
    y = x.copy()
    y[0, rate // 4 : rate // 4 + rate // 100] = 0
    y[1, rate // 2 : rate // 2 + rate // 50] = 0
    done = inpaint(y, sample_rate=rate)
    assert np.array_equal(done[y != 0], x[y != 0])
    for truth, filled, gone in zip(x, done, y == 0, strict=True):
        assert sdr(truth[gone], filled[gone]) > 10


def test_inpainting_takes_a_mask_or_gaps_and_torch() -> None:
    x = music(0.5)
    known = np.ones(len(x))
    known[8820:9261] = 0
    by_mask = inpaint(torch.from_numpy(x * known).float(), sample_rate=RATE, mask=known)
    by_gaps = inpaint(torch.from_numpy(x * known).float(), sample_rate=RATE, gaps=[(0.2, 0.21)])
    assert by_mask.dtype == torch.float32
    assert torch.equal(by_mask, by_gaps)
    assert sdr(x[8820:9261], by_mask[8820:9261].numpy()) > 15


def test_gaps_at_the_ends_and_close_together() -> None:
    x = music(0.5)
    known = np.ones(len(x))
    known[:100] = known[5000:5200] = known[5203:5400] = known[-100:] = 0
    done = inpaint(x * known, sample_rate=RATE, mask=known)
    assert np.isfinite(done).all() and np.abs(done).max() < 2
    assert np.array_equal(done[known == 1], x[known == 1])
    assert inpaint(np.zeros(3000), sample_rate=RATE, mask=np.zeros(3000)).any() == np.False_


def test_pauses_and_silence_are_no_gaps() -> None:
    x = music(3.0)
    x[:4000] = x[-4000:] = 0
    x[RATE : RATE + 70_000] = 0
    assert find_gaps(x, sample_rate=RATE) == []
    x[5000:5100] = 0
    assert find_gaps(x, sample_rate=RATE) == [(5000, 5100)]


def test_clip_levels_are_found_on_each_side_and_only_where_there_was_clipping() -> None:
    x = music()
    assert find_clip_levels(x) is None
    assert find_clip_levels(np.zeros(1000)) is None
    for step in (0.0, 2.0**-15):
        y = x.clip(-0.2, 0.15)
        y = np.round(y / step) * step if step else y
        levels = find_clip_levels(y)
        assert levels is not None
        assert levels == pytest.approx((-0.2, 0.15), abs=2e-4)
    one_sided = find_clip_levels(x.clip(-9, 0.15))
    assert one_sided is not None and one_sided[0] == -np.inf


@pytest.mark.parametrize(("method", "gain"), [("sparse", 5.0), ("spline", -1.0)])
def test_declipping_raises_crests_and_nothing_else(method: str, gain: float) -> None:
    x = music()
    y = x.clip(-0.3, 0.3)
    done = declip(y, sample_rate=RATE, method=method)
    level = 0.3 - 2e-4
    assert np.array_equal(done[np.abs(y) < level], y[np.abs(y) < level])
    assert (np.abs(done) >= np.abs(y)).all()
    assert sdr(x, done) > sdr(x, y) + gain
    assert np.array_equal(declip(x, sample_rate=RATE, method=method), x)


def test_two_clip_levels_as_a_measurement() -> None:
    x = torch.tensor([[0.1, 0.9, -0.9]], dtype=torch.float64)
    operator = ClipLimits(Limits(low=-0.3, high=0.5))
    y = operator.A(x)
    assert y.tolist() == [[0.1, 0.5, -0.3]]
    agreed = operator.replace(torch.tensor([[0.4, 0.2, -0.8]], dtype=torch.float64), y)
    assert agreed.tolist() == [[0.1, 0.5, -0.8]]


@pytest.mark.parametrize(("method", "keep"), [("auto", 0.5), ("auto", 0.2), ("spline", 0.5)])
def test_sensing_keeps_what_was_kept(method: str, keep: float) -> None:
    x = music(0.6)
    kept = np.random.default_rng(0).random(len(x)) < keep
    done = sense(x * kept, sample_rate=RATE, method=method)
    assert np.array_equal(done[kept], x[kept])
    assert sdr(x, done) > 12
    assert np.array_equal(sense(x, sample_rate=RATE), x)


def test_extension_adds_above_the_cutoff_only() -> None:
    x = np.random.default_rng(0).normal(0, 0.1, RATE)
    spectrum = np.fft.rfft(x)
    spectrum[6000:] = 0
    y = np.fft.irfft(spectrum, len(x))
    cutoff = find_cutoff(y, sample_rate=RATE)
    assert cutoff == pytest.approx(6000, rel=0.02)
    added = np.abs(np.fft.rfft(extend(y, sample_rate=RATE) - y))
    assert added[:5000].max() < 3e-3 * added[6000:].max()
    assert np.sum(added[6100:12_000] ** 2) > 0.02 * np.sum(np.abs(spectrum[:6000]) ** 2)
    assert find_cutoff(x, sample_rate=RATE) is None
    assert np.array_equal(extend(x, sample_rate=RATE), x)


def test_retrieval_does_not_look_at_phases_and_joins_blocks() -> None:
    x = music(3.5)
    done = retrieve(x, sample_rate=RATE, iterations=30)
    window = torch.hann_window(1024).double()
    wanted, found = (
        torch.stft(torch.from_numpy(z), 1024, 256, window=window, return_complex=True).abs() for z in (x, done)
    )
    assert 10 * torch.log10((found - wanted).square().sum() / wanted.square().sum()) < -15
    near_seam = slice((1 << 16) // 256 - 2, (1 << 16) // 256 + 3)
    error = (found - wanted)[:, near_seam].square().sum() / wanted[:, near_seam].square().sum()
    assert 10 * torch.log10(error) < -12
    assert np.array_equal(retrieve(x[:9000], sample_rate=RATE, seed=1), retrieve(x[:9000], sample_rate=RATE, seed=1))


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_diffusion_agrees_with_what_is_known_and_is_reproducible(rate: int) -> None:
    x = music(0.4, rate)
    y = x.copy()
    gap = slice(rate // 5, rate // 5 + rate // 50)
    y[gap] = 0
    first, second = (inpaint(y, sample_rate=rate, method="diffusion", steps=2, device="cpu") for _ in range(2))
    assert np.array_equal(first, second)
    assert np.array_equal(first[y != 0], x[y != 0])
    assert sdr(x[gap], first[gap]) > 5
    assert not np.array_equal(first, inpaint(y, sample_rate=rate, method="diffusion", steps=2, device="cpu", seed=1))


def test_diffusion_serves_every_task() -> None:
    x = music(0.3)
    options = {"method": "diffusion", "steps": 1, "device": "cpu", "sample_rate": RATE}
    kept = np.random.default_rng(0).random(len(x)) < 0.5
    assert sdr(x, sense(x * kept, **options)) > 12
    assert sdr(x, declip(x.clip(-0.2, 0.2), **options)) > sdr(x, x.clip(-0.2, 0.2))
    assert extend(x, cutoff=3000.0, **options).shape == x.shape
    assert np.isfinite(retrieve(x, iterations=5, **options)).all()


def test_a_gradient_may_guide() -> None:
    x = music(0.2)
    y = x.copy()
    y[4000:4400] = 0
    done = inpaint(y, sample_rate=RATE, method="diffusion", steps=1, xi=0.3, device="cpu")
    assert np.isfinite(done).all() and np.array_equal(done[y != 0], x[y != 0])
    with pytest.raises(SettingsError, match="44100 Hz"):
        inpaint(y, sample_rate=48_000, method="diffusion", xi=0.3, device="cpu")


def test_the_prior_denoises_at_other_rates() -> None:
    prior = load_prior(PriorSettings(device="cpu"))
    x = torch.from_numpy(music(0.5, 48_000)).float()[None]
    noisy = x + 0.03 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        clean = prior.at(48_000)(noisy, torch.tensor([0.03]))
    assert sdr(x.numpy(), clean.numpy()) > sdr(x.numpy(), noisy.numpy()) + 8


def test_generation_takes_level_and_length() -> None:
    x = music(0.3)
    drawn = generate(x, sample_rate=RATE, steps=2, device="cpu")
    assert drawn.shape == x.shape
    assert 0.3 < np.std(drawn) / np.std(x) < 3
    assert not np.array_equal(drawn, generate(x, sample_rate=RATE, steps=2, device="cpu", seed=1))
    assert spectrum_of(x).argmax() == pytest.approx(220 * 4096 / RATE, abs=20)


def test_a_network_of_the_published_kind_generates(tmp_path: Path) -> None:
    settings = {
        "sample_rate": 8_000,
        "length": 4096,
        "octaves": 3,
        "bins_per_octave": 8,
        "channels": (4, 4, 8),
        "dilations": (1, 2),
        "frequencies": 4,
        "embedding": (8, 8, 8),
    }
    card = ModelCard(architecture="cqtdiff-unet", settings=settings, sample_rate=8_000)
    path = tmp_path / "tiny.safetensors"
    save_model(path, build_network(card), card)
    x = music(1.2, 8_000)
    drawn = generate(x, sample_rate=8_000, model=str(path), steps=3, device="cpu")
    assert drawn.shape == x.shape and np.isfinite(drawn).all() and drawn.any()
    with pytest.raises(SettingsError, match="8000 Hz"):
        generate(x, sample_rate=RATE, model=str(path), device="cpu")
    known = np.ones(len(x))
    known[4000:4100] = 0
    with pytest.raises(SettingsError, match="4096 samples"):
        inpaint(x, sample_rate=8_000, mask=known, method="diffusion", model=str(path), device="cpu")


def test_silence_stays_silence() -> None:
    x = np.zeros((2, 5000))
    for solve in (inpaint, declip, extend, retrieve):
        assert not solve(x, sample_rate=RATE).any()
    assert not generate(x, sample_rate=RATE, steps=1, device="cpu").any()


def test_pieces_cover_everything_once() -> None:
    for length in (1, 9, 10, 11):
        covered = np.zeros(length, dtype=int)
        for piece in pieces(length, core=5, context=3):
            covered[piece.core] += 1
            assert np.arange(length)[piece.around][piece.inside].tolist() == np.arange(length)[piece.core].tolist()
        assert (covered == 1).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x: inpaint(x, sample_rate=RATE, method="spline"), "no method spline"),
        (lambda x: inpaint(x, sample_rate=RATE, steps=3), "no use for the setting steps"),
        (lambda x: inpaint(x, sample_rate=RATE, stpes=3), "setting of the prior"),
        (lambda x: inpaint(x, sample_rate=RATE, gaps=[(0.2, 0.1)]), "ends after its start"),
        (lambda x: inpaint(x, sample_rate=RATE, gaps=[(9.0, 9.1)]), "after the end"),
        (lambda x: inpaint(x, sample_rate=RATE, mask=np.ones(3)), "shape"),
        (lambda x: inpaint(x, sample_rate=RATE, mask=0.5 * np.ones(len(x))), "zeros and ones"),
        (lambda x: declip(x, sample_rate=RATE, level=-1.0), "must be positive"),
        (lambda x: extend(x, sample_rate=RATE, cutoff=30_000.0), "half the sample rate"),
        (lambda x: retrieve(x, sample_rate=RATE, hop=1000), "half a window"),
        (lambda x: sense(0 * x, sample_rate=RATE), "nothing to start from"),
    ],
)
def test_bad_settings_are_one_sentence(call, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        call(music(0.1))


@pytest.mark.parametrize("audio", [np.zeros(0), np.array([np.nan]), np.zeros(9, dtype=int)])
def test_bad_audio_is_refused(audio: np.ndarray) -> None:
    with pytest.raises(AudioError):
        inpaint(audio, sample_rate=RATE)
