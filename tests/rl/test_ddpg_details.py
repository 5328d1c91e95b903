"""What mutations by hand showed: details of DDPG that no other test would see."""

import copy

import numpy as np
import pytest
from test_ddpg import Constant, Crooked, numbers, random_batch, small_agent

from minigrad import Tensor
from models.mlp import layers
from rl.ddpg import squared_error
from rl.noise import Gaussian, OrnsteinUhlenbeck
from rl.replay import Replay
from rl.spaces import Box


def test_noise_reset():
    noise = OrnsteinUhlenbeck()
    starts, reset = [], noise.reset
    noise.reset = lambda size: (starts.append(size), reset(size))
    small_agent(env=Constant(limit=5), noise=noise).learn(12)
    assert starts == [1, 1, 1]


def test_buffer_action_clipped():
    agent = small_agent(env=Crooked(), noise=Gaussian(1.0), start_steps=5).learn(100)
    held = agent.replay.ring.action[:100]
    assert np.abs(held).max() == 1


def test_scale():
    env = Constant()
    env.observation_space = Box(np.array([-4.0, 0, -np.inf]), np.array([1.0, 0, np.inf]))
    assert small_agent(env=env).observation_scale.tolist() == [4, 1, 1]


def test_schedules():
    agent, batch = small_agent(decay_steps=4), random_batch(np.random.default_rng(0))
    for left in (0.75, 0.5, 0.25, 0):
        agent.update(batch)
        assert [o.lr for o in agent.optimizers] == pytest.approx([1e-3 * left] * 2)


def test_start(monkeypatch):
    agent, events = small_agent(batch_size=8, start_steps=10), []
    monkeypatch.setattr(agent, "update", lambda batch: events.append(agent.steps))
    mu = agent.mu
    monkeypatch.setattr(agent, "mu", lambda s: (events.append(-agent.steps), mu(s))[1])
    agent.learn(13)
    assert events == [-10, 11, -11, 12, -12, 13]
    agent = small_agent(batch_size=8, start_steps=0)
    first = []
    monkeypatch.setattr(agent, "update", lambda batch: first.append(agent.steps))
    agent.learn(10)
    assert first == [8, 9, 10]


def test_streams():
    agent = small_agent(seed=5)
    a, b = agent.explore.bit_generator.state, agent.draws.bit_generator.state
    assert a != b
    agent.learn(20)
    assert agent.draws.bit_generator.state == b
    c = agent.explore.bit_generator.state
    agent.learn(0)
    agent.noise.sigma = 0

    class Silent(Gaussian):
        def draw(self, rng):
            return np.zeros(1)

    agent.noise = Silent()
    agent.noise.reset(1)
    agent.learn(5)
    assert agent.explore.bit_generator.state == c and agent.draws.bit_generator.state != b


def test_env_seed():
    class Seeds(Constant):
        def reset(self, *, seed=None, options=None):
            self.__dict__.setdefault("seeds", []).append(seed)
            return super().reset(seed=seed, options=options)

    env = Seeds(limit=3)
    agent = small_agent(env=env).learn(7)
    assert env.seeds == [agent.env_seed, None, None]


def test_reward_scale():
    agent = small_agent(env=Constant(limit=3), reward_scale=0.5).learn(6)
    assert (agent.replay.ring.reward[:6] == 0.5).all() and agent.returns == [(3, 3.0), (6, 3.0)]


def test_update_order():
    agent, twin, batch = small_agent(tau=0.5), small_agent(tau=0.5), random_batch(np.random.default_rng(0))
    for _ in range(3):
        agent.update(batch)
        a, c = twin.target_actor.theta.copy(), twin.target_critic.theta.copy()
        twin.critic_step(batch)
        twin.actor_step(batch)
        twin.target_actor.theta = (a + twin.actor.theta.data) / 2
        twin.target_critic.theta = (c + twin.critic.theta.data) / 2
    for x, y in zip(numbers(agent), numbers(twin)):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-7)


def test_small():
    agent = small_agent()
    for net in (agent.actor, agent.critic):
        W, b = layers(net.theta.data, net.sizes)[-1]
        assert np.abs(W).max() <= 3e-3 and np.abs(b).max() <= 3e-3 and W.min() < 0 < W.max()


def test_state_alias():
    agent = small_agent(capacity=30).learn(60)
    state = agent.state_dict()
    kept = copy.deepcopy(state)
    agent.learn(300)
    for x, y in zip(state["theta"], kept["theta"]):
        np.testing.assert_array_equal(x, y)
    for k, v in kept["parts"][-1].items():
        np.testing.assert_array_equal(state["parts"][-1][k], v)
    one = small_agent(capacity=30)
    one.load_state_dict(state)
    one.learn(300)
    for x, y in zip(state["theta"], kept["theta"]):
        np.testing.assert_array_equal(x, y)
    assert state["returns"] == kept["returns"]


def test_noise_default():
    assert small_agent().noise.sigma == 0.1 and OrnsteinUhlenbeck().dt == 1.0
    noise = OrnsteinUhlenbeck()
    noise.reset(2)
    rng = np.random.default_rng(0)
    first = noise.draw(rng)
    kept = first.copy()
    noise.draw(rng)
    assert (first == kept).all()


def test_uniform_dims():
    env = Crooked()
    small_agent(env=env, start_steps=200).learn(200)
    assert abs(np.corrcoef(np.array(env.taken).T)[0, 1]) < 0.3


def test_load_action():
    with pytest.raises(ValueError, match="saved ring"):
        Replay(4, 1, 2).load_state_dict(Replay(4, 1, 1).state_dict())


def test_loss_mean():
    q = Tensor(np.array([1.0, 3.0]), requires_grad=True)
    assert squared_error(q, y=np.zeros(2)).item() == 5


def test_to_env_rounding():
    env = Constant(limit=20)
    env.action_space = Box(-0.7, 0.1, (1,), np.float64)
    rng = np.random.default_rng(0)
    for low, high in np.sort(np.round(rng.uniform(-3, 3, (300, 2)), 1), axis=1):
        env.action_space = Box(low, high, (1,), np.float64)
        agent = small_agent(env=env, hidden=(2,), capacity=8)
        assert agent.to_env(np.ones(1)) in env.action_space and agent.to_env(-np.ones(1)) in env.action_space


def test_capacity():
    assert small_agent(capacity=30).replay.capacity == 30


def test_rows_together():
    replay = Replay(20, 1, 1)
    for i in range(20):
        replay.add([i], [i], i, [i], i)
    batch = replay.sample(50, np.random.default_rng(0))
    for x in batch:
        np.testing.assert_array_equal(x.ravel(), batch.reward)
