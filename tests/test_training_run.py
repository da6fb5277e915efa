"""The loop of training, whatever is trained: steps, averages, gradients that are not finite, saving, time."""

from pathlib import Path

import pytest
import torch

from regroove.networks.matched_unet import MatchedUNetSettings
from regroove.training.processes import OneProcess
from regroove.training.run import Optimisation, Trainer, train

DATA = Path(__file__).parents[2] / "shared" / "data"
RATE = 44_100
TINY = MatchedUNetSettings(channels=(8, 8), dilations=(1,))


class Parabola:
    """The objective (w - 1)^2, whose gradient is not finite at one step."""

    architecture, network_settings = "parabola", {}

    def __init__(self, *, broken: int | None = None) -> None:
        self.network, self.broken = torch.nn.Linear(1, 1, bias=False), broken
        torch.nn.init.zeros_(self.network.weight)

    def losses(self, step: int) -> dict[str, tuple[float, torch.Tensor]]:
        distance = (self.network.weight - 1).square().sum()
        return {"loss": (1.0, distance * (torch.inf if step == self.broken else 1.0))}


def descent(objective: Parabola, *, clip: float = 10.0) -> Trainer:
    optimisation = Optimisation(
        optimiser=lambda parameters: torch.optim.SGD(parameters, lr=1.0),
        learning_rate=lambda step: 0.25,
        decay=lambda step: 0.5,
        clip=clip,
    )
    return Trainer(objective, optimisation, processes=OneProcess("cpu"))


def test_a_step_descends_clips_and_averages() -> None:
    trained = descent(Parabola())
    assert trained.train_step().gradient_norm == pytest.approx(2.0)
    assert trained.network.weight.item() == pytest.approx(0.5)  # type: ignore[union-attr,operator]
    assert trained.average["weight"].item() == pytest.approx(0.25)
    clipped = descent(Parabola(), clip=0.5)
    clipped.train_step()
    assert clipped.network.weight.item() == pytest.approx(0.125, rel=1e-4)  # type: ignore[union-attr,operator]


def test_a_gradient_that_is_not_finite_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    trained = descent(Parabola(broken=1))
    weights = [(trained.train_step(), trained.network.weight.item())[1] for _ in range(3)]  # type: ignore[union-attr,operator]
    assert weights == pytest.approx([0.5, 0.5, 0.75]) and "step 1: a gradient is not finite" in caplog.text


def test_a_run_saves_when_it_is_due_and_stops_in_time(tmp_path: Path) -> None:
    saved = []

    def save(trained: Trainer) -> Path:
        saved.append(trained.step)
        return tmp_path / f"{trained.step}.pt"

    def due(step: int, seconds: float) -> bool:
        return step % 40 == 0

    trained = descent(Parabola())
    told: list[int] = []
    assert train(trained, steps=100, save=save, due=due, reports=[lambda s: told.append(s.step)]) == tmp_path / "100.pt"
    assert saved == [40, 80, 100] and told == list(range(1, 101))
    assert [point["step"] for point in trained.history.points] == [50, 100]
    assert train(trained, steps=1000, save=save, due=due, minutes=0.0) == tmp_path / "101.pt"
    assert trained.history.points[-1]["step"] == 101
    assert train(trained, steps=101, save=save, due=due) is None
