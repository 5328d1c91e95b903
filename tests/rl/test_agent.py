"""What all agents share: playing, acting, saving. What each learns: test_ddpg, test_td3, test_dqn, test_ppo."""

import numpy as np
import pytest

from rl.ddpg import DDPG
from rl.dqn import DQN
from rl.envs import CartPole, Pendulum
from rl.noise import Gaussian, OrnsteinUhlenbeck
from rl.ppo import PPO
from rl.td3 import TD3


class Foreign:
    """As another library's: its state cannot be saved, and without a seed it starts from the system's randomness."""

    state_dict = property()

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=np.random.SeedSequence().entropy % 2**31 if seed is None and self.rng is None else seed, options=options)


class ForeignPole(Foreign, CartPole):
    pass


class ForeignPendulum(Foreign, Pendulum):
    pass


MEMORY = {"batch_size": 8, "start_steps": 20}
MAKE = {
    "DQN": lambda seed=0, foreign=False, **keywords: DQN((ForeignPole if foreign else CartPole)(), seed, **{"hidden": (16, 16)} | MEMORY | keywords),
    "DDPG": lambda seed=0, foreign=False, **keywords: DDPG((ForeignPendulum if foreign else Pendulum)(), seed, **{"hidden": (16, 16)} | MEMORY | keywords),
    "TD3": lambda seed=0, foreign=False, **keywords: TD3((ForeignPendulum if foreign else Pendulum)(), seed, **{"hidden": (16, 16)} | MEMORY | keywords),
    "PPO": lambda seed=0, foreign=False, **keywords: PPO((ForeignPole if foreign else CartPole)(), seed, **{"hidden": (8, 8), "rollout_steps": 16} | keywords),
}  # fmt: skip
each = pytest.mark.parametrize("name", MAKE)


def same(one, two):
    """Whether two agents have the same weights, memories of returns and numbers of steps."""
    return all((x == y).all() for x, y in zip(one.theta(), two.theta())) and (one.returns, one.steps) == (two.returns, two.steps)


@each
def test_learning_in_parts_is_learning(name):
    assert same(MAKE[name](1).learn(90), MAKE[name](1).learn(37).learn(53)) and not same(MAKE[name](1).learn(90), MAKE[name](2).learn(90))


@each
def test_a_state_of_step_0_decides_all_that_follows(name):
    one, two = MAKE[name](1), MAKE[name](2)
    two.load_state_dict(one.state_dict())
    assert same(one.learn(60), two.learn(60))


@each
def test_a_foreign_world_is_begun_anew_from_a_seed_that_the_state_holds(name):
    state = MAKE[name](foreign=True).learn(50).state_dict()
    one, two = MAKE[name](3, foreign=True), MAKE[name](4, foreign=True)
    for agent in (one, two):
        agent.load_state_dict(state)
    assert state["env"] is None and one.s is None and same(one.learn(40), two.learn(40)) and one.steps == 90


@each
def test_what_does_not_fit_is_refused_and_changes_nothing(name):
    agent = MAKE[name]().learn(40)
    before = [theta.copy() for theta in agent.theta()]
    others = [MAKE[other]() for other in MAKE if other != name] + [MAKE[name](hidden=(7, 7)), MAKE[name](decay_steps=100)]
    others += [MAKE[name](noise=OrnsteinUhlenbeck())] if name in ("DDPG", "TD3") else []
    for other in others:
        with pytest.raises(ValueError, match=f"is made of {name}, .*; what was saved is made of {type(other).__name__}, "):
            agent.load_state_dict(other.state_dict())
    if name != "PPO":
        small = MAKE[name](capacity=10)
        start = [theta.copy() for theta in small.theta()]
        with pytest.raises(ValueError, match="the saved ring holds"):
            small.load_state_dict(agent.state_dict())
        assert all((x == y).all() for x, y in zip(small.theta(), start))
    assert all((x == y).all() for x, y in zip(agent.theta(), before))


@each
def test_it_acts_on_one_observation(name):
    agent = MAKE[name]()
    n = len(agent.observation_scale)
    assert agent.env.action_space.contains(agent.act(np.zeros(n)))
    with pytest.raises(ValueError, match=rf"{name}: act\(\) takes one observation \({n},\), not an array of shape \(2, {n}\)"):
        agent.act(np.zeros((2, n)))
    with pytest.raises(ValueError, match=f"{name}: an observation must be {n} finite numbers"):
        agent.act(np.full(n, np.nan))


@pytest.mark.parametrize("noise", [Gaussian(0.3), OrnsteinUhlenbeck()])
def test_two_agents_do_not_share_a_noise(noise):
    alone = MAKE["DDPG"](noise=noise).learn(60)
    one, two = MAKE["DDPG"](noise=noise), MAKE["DDPG"](5, noise=noise)
    for _ in range(6):
        one.learn(10), two.learn(10)
    assert same(one, alone)
