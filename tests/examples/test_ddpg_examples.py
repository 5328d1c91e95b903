"""DDPG's chapters: their pieces, and the runs as a newcomer starts them, only smaller."""

import json

import numpy as np
import pytest
from test_mnist_examples import run  # pytest puts this folder on the path

from examples import ddpg_ablation, ddpg_lqr, ddpg_pendulum
from rl.ddpg import DDPG, pair
from rl.envs import LQR, Pendulum


def small(kind, **keywords):
    return kind(Pendulum(), 0, hidden=(8, 8), batch_size=4, start_steps=10, gamma=0.9, dtype=np.float64, **keywords).learn(20)


def test_the_leaking_gradient_is_that_of_the_whole_loss():
    agent = small(ddpg_ablation.LeakingTarget)
    batch, theta = agent.replay.sample(16, agent.draws), agent.critic.theta.data.copy()
    s, a, r, s2, terminated = batch

    def loss(values):
        agent.critic.theta.data = values
        y = r + 0.9 * (1 - terminated) * agent.critic(pair(s2, agent.actor(s2).data)).data
        return np.mean((agent.critic(pair(s, a)).data - y) ** 2)

    v, eps = np.random.default_rng(0).standard_normal(theta.shape), 1e-6
    numeric = (loss(theta + eps * v) - loss(theta - eps * v)) / (2 * eps)
    agent.critic.theta.data = theta
    agent.critic_optimizer.lr = 0.0
    assert agent.critic_step(batch) == pytest.approx(loss(theta), rel=1e-12)
    assert agent.critic.theta.grad @ v == pytest.approx(numeric, rel=1e-6)
    whole = agent.critic.theta.grad.copy()
    DDPG.critic_step(agent, batch)
    assert np.abs(whole - agent.critic.theta.grad).max() > 1e-4  # the half gradient is another


def test_without_targets_they_are_the_newest_weights():
    agent = small(DDPG, tau=1.0)
    np.testing.assert_array_equal(agent.target_critic.theta, agent.critic.theta.data)


def test_the_gain_of_a_linear_policy_is_read_off():
    class Linear(DDPG):
        def to_env(self, a):
            return -0.7 * ddpg_lqr.X  # whatever the actor says

    agent = Linear(LQR(), 0, hidden=(4,))
    assert ddpg_lqr.gain(agent) == pytest.approx(0.7, rel=1e-12)


def test_an_orbit_is_cut_where_the_angle_jumps():
    from minigrad.plot import axes

    ax, states = axes(), np.array([[3.0, 1], [3.1, 1], [-3.1, 1], [-3.0, 1], [-2.9, 1]])
    ddpg_pendulum.line(ax, states)
    assert [len(piece.get_xdata()) for piece in ax.lines] == [2, 3]


@pytest.mark.proof
@pytest.mark.parametrize("name", ["ddpg_pendulum", "ddpg_lqr", "ddpg_ablation"])
def test_debug_run_draws_its_picture_with_kernels_as_plain_python(tmp_path, name):
    out = run(tmp_path, f"examples.{name}", "--debug")
    assert f"{name}.png" in out and (tmp_path / "figures" / f"{name}.png").stat().st_size > 5_000


@pytest.mark.proof
def test_evaluation_goes_on_where_it_was_stopped(tmp_path):
    first = run(tmp_path, "examples.ddpg_evaluation", "--quick")
    path = tmp_path / "figures" / "ddpg_evaluation_quick.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {"rows": kept["rows"][:1]}))
    again = run(tmp_path, "examples.ddpg_evaluation", "--quick")
    assert "seed 0:" in first and "seed 0:" not in again and "seed 1:" in again
    assert first.splitlines()[-1] == again.splitlines()[-1]
