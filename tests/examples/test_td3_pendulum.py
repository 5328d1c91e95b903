"""The chapter on TD3: what is compared with the critic, and the run as a newcomer starts it, only smaller."""

import numpy as np
import pytest
from test_mnist_examples import run  # pytest puts this folder on the path

from examples import td3_pendulum
from rl.ddpg import DDPG, pair
from rl.envs import Pendulum
from rl.td3 import TD3


def test_what_follows_is_the_discounted_return_of_the_actors_own_actions_in_the_real_world():
    agent, env = DDPG(Pendulum(), 0, hidden=(8,), gamma=0.9), Pendulum(max_episode_steps=40)
    agent.actor.theta.data = 3 * np.random.default_rng(0).standard_normal(agent.actor.theta.shape)  # it does something
    starts = np.array([[2.0, 0.5], [-1.0, 3.0], [3.1, -7.0]])
    observations, returns = [], []
    for start in starts:
        s, _ = env.reset(seed=0, options={"state": start})
        observations.append(s)
        g, discount, truncated = 0.0, 1.0, False
        while not truncated:
            s, r, _, truncated, _ = env.step(agent.act(s))
            g, discount = g + discount * r, discount * agent.gamma
        returns.append(g)
    np.testing.assert_allclose(td3_pendulum.follows(agent, np.array(observations), 40), returns, rtol=1e-4)


def test_a_look_is_taken_in_real_units_at_states_of_the_memory_and_changes_nothing():
    one, two = (TD3(Pendulum(), 0, hidden=(8, 8), batch_size=4, start_steps=10, reward_scale=0.1).learn(20) for _ in range(2))
    says, follow = td3_pendulum.look(one, 7, 5)
    s = one.replay.sample(7, np.random.default_rng(0)).observation
    np.testing.assert_allclose(says, one.critic(pair(s, one.actor(s).data)).data / 0.1, rtol=1e-6)
    assert follow.shape == (7,) and (follow < 0).all()
    one.learn(10), two.learn(10)
    np.testing.assert_array_equal(one.actor.theta.data, two.actor.theta.data)


def test_a_row_of_the_table():
    looks = np.array([[[0.0, 0.0], [0.0, 0.0]], [[5.0, -1.0], [-3.0, -1.0]]])  # two looks: the last one counts
    runs = [(looks, np.array([-1.0, -3.0]), 2.0), (looks, np.array([-5.0, -7.0]), 4.0)]
    name, score, worst, says, follow, difference, most, seconds = td3_pendulum.row("it", runs)
    assert (name, worst, says, follow, difference, most, seconds) == ("it", -6.0, 2.0, -2.0, 4.0, 5.0, 3.0)
    assert score.startswith("-4.0 (") and score.endswith("to -2.0)")


@pytest.mark.proof
def test_the_example_runs(tmp_path):
    out = run(tmp_path, "examples.td3_pendulum", "--debug")
    assert "seed 0, TD3" in out and (tmp_path / "figures" / "td3_pendulum.png").stat().st_size > 5_000
