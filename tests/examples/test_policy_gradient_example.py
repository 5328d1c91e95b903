"""The example of policy gradients: its corridor, its rule of choosing weights, its picture; tiny sizes."""

import numpy as np
import pytest

from examples import policy_gradient_cart_pole as example
from rl.envs.short_corridor import BEST_VALUE


def test_the_corridors_runs_come_near_the_best_policy():
    short = example.corridor(0, 20, 1000)
    for name, least in (("REINFORCE", -14), ("with a baseline", -13), ("A2C", -12.5)):
        returns, p = short[name]
        assert returns.shape == (20, 1000) and returns[:, :5].mean() < -50
        assert least < returns[:, -100:].mean() < BEST_VALUE + 0.5 and 0.35 < p.mean() < 0.7


def test_the_rule_keeps_the_best_weights_and_of_ties_the_latest(monkeypatch):
    scores = iter([3.0, 7.0, 7.0, 5.0])
    held = []

    def evaluate(agent, env, episodes, seed):
        held.append(agent.policy.net.theta.data.copy())
        return np.full(episodes, next(scores))

    monkeypatch.setattr(example, "evaluate", evaluate)
    agent, curve, last = example.train(0, {"hidden": (8,), "rollout_steps": 20, "batch_size": None, "epochs": 1}, 160, 40, 2)
    np.testing.assert_array_equal(agent.policy.net.theta.data, held[2])
    assert len(curve) == 4 and last == 5 and (held[1] != held[2]).any()


@pytest.mark.proof
def test_the_picture(tmp_path):
    line, rows = example.cart_pole("PPO", range(2), 2_000, 1_000, 2, 3, hidden=(8,))
    assert line[0] == "PPO" and np.shape(rows) == (2, 2) and line[4].endswith("of 2")
    ax = example.draw(example.corridor(0, 2, 50), {"PPO": rows}, np.array([1_000, 2_000]))
    assert len(ax.figure.axes) == 2 and ax.get_ylabel() == "return"
