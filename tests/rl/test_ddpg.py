"""DDPG, line by line: targets, gradients, who is changed by what, noise, the buffer, seeds, exact resume."""

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, checkpoint
from models.mlp import MLP
from rl.ddpg import DDPG, Actor, Critic, pair, polyak, squared_error
from rl.envs import LQR, CartPole, Environment, GridWorld, Pendulum
from rl.evaluate import evaluate
from rl.noise import Gaussian, OrnsteinUhlenbeck
from rl.replay import Batch, Replay
from rl.spaces import Box


def random_batch(rng, size=16, n=3, m=1, dtype=np.float32):
    s, s2 = rng.standard_normal((2, size, n))
    a, r = rng.uniform(-1, 1, (size, m)), rng.standard_normal(size)
    return Batch(*[x.astype(dtype) for x in (s, a, r, s2, np.arange(size) % 2)])


def small_agent(seed=0, env=None, **keywords):
    keywords = dict(hidden=(16, 16), batch_size=8, start_steps=20) | keywords
    return DDPG(env or Pendulum(), seed, **keywords)


def numbers(agent):
    """All weights, online and target."""
    return [agent.actor.theta.data, agent.critic.theta.data, agent.target_actor.theta, agent.target_critic.theta]


# ---- line 11, the target
def test_target_bootstraps_unless_terminated():  # T1
    agent = small_agent(gamma=0.9)
    batch = random_batch(np.random.default_rng(0))
    y = agent.targets(batch)
    s2 = batch.next_observation
    q2 = agent.target_critic(pair(s2, agent.target_actor(s2)))
    assert y.shape == (16,) and y.dtype == np.float32
    np.testing.assert_array_equal(y[1::2], batch.reward[1::2])  # terminated
    np.testing.assert_allclose(y[::2], batch.reward[::2] + 0.9 * q2[::2], rtol=1e-6)
    assert np.abs(q2).min() > 0


class Constant(Environment):
    """Reward 1 for ever, or until it is terminated; the observation counts the steps."""

    def __init__(self, limit=None, ends=None):
        super().__init__(Box(-np.inf, np.inf, (1,)), Box(-1, 1, (1,)), limit)
        self.ends = ends

    def begin(self, options):
        self.state = np.zeros(1)
        return self.state.astype(np.float32)

    def move(self, action):
        self.state = self.state + 1
        return self.state.astype(np.float32), 1.0, self.ends is not None and self.state[0] >= self.ends


def test_buffer_holds_terminated_only_and_the_observation_before_the_reset():  # T1, T2, T30
    for env, flag in ((Constant(limit=3), 0), (Constant(ends=3), 1), (Constant(limit=3, ends=3), 1)):
        agent = small_agent(env=env).learn(6)
        held = agent.replay.ring
        assert held.terminated[:6].tolist() == [0, 0, flag, 0, 0, flag]
        assert held.observation[:6, 0].tolist() == [0, 1, 2, 0, 1, 2]
        assert held.next_observation[:6, 0].tolist() == [1, 2, 3, 1, 2, 3]
        assert agent.returns == [(3, 3.0), (6, 3.0)]


class Blind(Constant):
    """The same, but the observation tells nothing: every state looks alike."""

    def begin(self, options):
        super().begin(options)
        return np.ones(1, np.float32)

    def move(self, action):
        _, reward, terminated = super().move(action)
        return np.ones(1, np.float32), reward, terminated


@pytest.mark.proof
@pytest.mark.parametrize("done_is_an_end, value", [(False, 1 / (1 - 0.9)), (True, 1 / (1 - 0.9 * 0.9))])
def test_time_limit_bias(done_is_an_end, value):
    """T4. A reward of 1 for ever is worth 10. Who takes the time limit, every tenth step, for an end learns 5.26."""
    agent = DDPG(Blind(limit=10), 0, gamma=0.9, start_steps=64, hidden=(32, 32), tau=0.05)
    for _ in range(300):
        agent.learn(10)
        if done_is_an_end:
            agent.replay.ring.terminated[agent.steps - 1] = 1
    s = np.ones((1, 1), np.float32)
    q = agent.critic(Tensor(pair(s, agent.actor(Tensor(s)).data))).item()
    assert q == pytest.approx(value, rel=0.05)


class Reusing(Constant):
    """Writes every observation into the same array."""

    def begin(self, options):
        self.shown = np.zeros(1, np.float32)
        return self.shown

    def move(self, action):
        self.shown += 1
        return self.shown, 1.0, False


def test_an_environment_that_reuses_its_array_fills_no_old_row_with_new_numbers():  # T29
    held = small_agent(env=Reusing(limit=4)).learn(8).replay.ring
    assert held.observation[:8, 0].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert held.next_observation[:8, 0].tolist() == [1, 2, 3, 4, 1, 2, 3, 4]


class Broken(Constant):
    """From the fifth step on, the observation or the reward is no number."""

    def __init__(self, observation, reward):
        super().__init__(limit=50)
        self.broken = observation, reward

    def move(self, action):
        observation, reward, terminated = super().move(action)
        return (observation, reward, terminated) if self.state[0] < 5 else (*self.broken, terminated)


@pytest.mark.parametrize("observation, reward, message", [
    (np.ones(1), np.nan, "the reward after step 4 is nan: it must be a finite number"),
    (np.ones(1), np.inf, "the reward after step 4 is inf"),
    (np.full(1, np.nan), 0.0, r"an observation must be 1 finite numbers, not array\(\[nan\]\)"),
    (np.ones(3), 0.0, r"an observation must be 1 finite numbers, not array\(\[1., 1., 1.\]\)"),
])  # fmt: skip
def test_what_an_environment_must_not_give(observation, reward, message):
    agent = small_agent(env=Broken(observation, reward))
    with pytest.raises(ValueError, match=message):
        agent.learn(10)
    assert agent.steps == len(agent.replay) == 4 and np.isfinite(agent.replay.ring.reward).all()  # nothing of it is kept


@pytest.mark.parametrize("observation", [0.0, np.zeros(1), None, np.full(3, np.nan)])
def test_act_takes_observations_of_its_own_environment_only(observation):
    with pytest.raises(ValueError, match="an observation must be 3 finite numbers"):
        small_agent().act(observation)


def test_weights_that_have_run_away_stop_the_run():
    agent = small_agent(critic_lr=1e12)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="the actor says NaN: the weights have run away"):
        agent.learn(200)


def test_a_float64_action_space_is_never_left():
    env = Constant(limit=20)
    env.action_space = Box(-0.1, 0.1, (1,), np.float64)
    agent = small_agent(env=env, noise=Gaussian(5.0)).learn(60)
    assert agent.to_env(np.float32([1])).dtype == np.float64 and agent.to_env(np.float32([1]))[0] == 0.1


# ---- lines 12 and 13, the gradients
def central_difference(f, theta, direction, eps=1e-6):
    return (f(theta + eps * direction) - f(theta - eps * direction)) / (2 * eps)


def test_gradient_of_the_critic_equals_central_differences():  # T9
    rng = np.random.default_rng(1)
    agent = small_agent(dtype=np.float64)
    for network in (agent.critic, agent.target_critic, agent.target_actor):
        data = network.theta.data if network is agent.critic else network.theta
        data += 0.3 * rng.standard_normal(data.shape)
    batch = random_batch(rng, dtype=np.float64)
    theta, y, x = agent.critic.theta.data.copy(), agent.targets(batch), pair(batch.observation, batch.action)

    def loss(values):
        agent.critic.theta.data = values
        return float(np.mean((agent.critic(Tensor(x)).data - y) ** 2))

    agent.critic.theta.data = theta
    squared_error(agent.critic(Tensor(x)), y=y).backward()
    gradient = agent.critic.theta.grad
    for _ in range(5):
        v = rng.standard_normal(theta.shape)
        assert gradient @ v == pytest.approx(central_difference(loss, theta, v), rel=1e-6)


def test_gradient_through_the_critic_into_the_actor_equals_central_differences():  # T9, T15, T16
    rng = np.random.default_rng(2)
    agent = small_agent(env=LQR(A=np.eye(2), B=np.ones((2, 2)), Q=np.eye(2), R=np.eye(2)), dtype=np.float64)
    for network in (agent.actor, agent.critic):
        network.theta.data = network.theta.data + 0.3 * rng.standard_normal(network.theta.shape)
    batch = random_batch(rng, n=2, m=2, dtype=np.float64)
    theta, s = agent.actor.theta.data.copy(), batch.observation

    def minus_q(values):
        agent.actor.theta.data = values
        return -float(agent.critic(Tensor(pair(s, agent.actor(Tensor(s)).data))).data.mean())

    agent.actor_optimizer.lr = 0.0
    agent.actor_step(batch)
    gradient = agent.actor.theta.grad.copy()
    for _ in range(5):
        v = rng.standard_normal(theta.shape)
        assert gradient @ v == pytest.approx(central_difference(minus_q, theta, v), rel=1e-6)
    agent.actor.theta.data = theta
    agent.actor_step(Batch(*[np.concatenate([x, x]) for x in batch]))  # a mean: the same batch twice changes nothing
    np.testing.assert_allclose(agent.actor.theta.grad, gradient, rtol=1e-12, atol=1e-15)
    agent.actor.theta.data = theta
    before = minus_q(theta)
    agent.actor_optimizer.lr = 1e-3
    agent.actor_step(batch)
    assert minus_q(agent.actor.theta.data.copy()) < before  # one step raises mean Q


def test_the_same_gradient_as_composed_by_autograd_in_one_graph():
    rng = np.random.default_rng(3)
    agent, batch = small_agent(dtype=np.float64), random_batch(rng, dtype=np.float64)
    mu = agent.actor(Tensor(batch.observation))
    loss = -agent.critic(np.concatenate([Tensor(batch.observation), mu], axis=1)).mean()
    (whole,) = minigrad.grad(loss, agent.actor.theta)
    agent.actor_step(batch)
    np.testing.assert_allclose(agent.actor.theta.grad, whole.data, rtol=1e-12)


def test_targets_are_plain_arrays_and_the_loss_does_not_see_the_online_weights_through_y():  # T10
    agent, batch = small_agent(), random_batch(np.random.default_rng(0))
    assert type(agent.target_actor.theta) is type(agent.target_critic.theta) is np.ndarray
    assert agent.target_actor.parameters() == agent.target_critic.parameters() == []
    before = agent.targets(batch)
    assert type(before) is np.ndarray
    agent.actor.theta.data = agent.actor.theta.data + 1
    agent.critic.theta.data = agent.critic.theta.data + 1
    np.testing.assert_array_equal(agent.targets(batch), before)


def test_each_step_changes_its_own_network_only():  # T11, T12
    agent, batch = small_agent(), random_batch(np.random.default_rng(0))
    agent.critic_step(batch)
    assert agent.actor.theta.grad is None
    critic_grad = agent.critic.theta.grad.copy()
    before = [x.copy() for x in numbers(agent)]
    agent.actor_step(batch)
    np.testing.assert_array_equal(agent.critic.theta.grad, critic_grad)
    assert [(x == y).all() for x, y in zip(numbers(agent), before)] == [False, True, True, True]
    before = [x.copy() for x in numbers(agent)]
    agent.critic_step(batch)
    assert [(x == y).all() for x, y in zip(numbers(agent), before)] == [True, False, True, True]


def test_gradients_are_forgotten_between_steps():  # T12
    agent, batch = small_agent(), random_batch(np.random.default_rng(0))
    agent.critic_optimizer.lr, agent.actor_optimizer.lr, agent.tau = 0.0, 0.0, np.float32(0)
    agent.update(batch)
    first = agent.critic.theta.grad.copy(), agent.actor.theta.grad.copy()
    agent.update(batch)  # nothing has moved, so the gradients are the same, not twice as large
    np.testing.assert_array_equal(agent.critic.theta.grad, first[0])
    np.testing.assert_array_equal(agent.actor.theta.grad, first[1])


@pytest.mark.parametrize("shape", [(8, 1), (1,), (7,)])
def test_a_target_of_another_shape_raises(shape):  # T13
    with pytest.raises(ValueError, match=r"Q has shape \(8,\) and its target .*: both must be \(B,\)"):
        squared_error(Tensor(np.zeros(8, np.float32), requires_grad=True), y=np.zeros(shape, np.float32))


# ---- line 14, the targets
@pytest.mark.parametrize("tau", [0.0, 0.25, 1.0])
def test_targets_are_exact_averages(tau):  # T17
    theta, target = np.random.default_rng(0).standard_normal((2, 50))
    start = target.copy()
    for _ in range(4):
        polyak(theta, target, tau)
    np.testing.assert_allclose(target, (1 - tau) ** 4 * start + (1 - (1 - tau) ** 4) * theta, rtol=1e-13)
    if tau in (0.0, 1.0):
        np.testing.assert_array_equal(target, theta if tau else start)


def test_targets_start_equal_and_share_no_memory():  # T17, T18
    agent = small_agent()
    for online, target in ((agent.actor, agent.target_actor), (agent.critic, agent.target_critic)):
        np.testing.assert_array_equal(online.theta.data, target.theta)
        assert not np.shares_memory(online.theta.data, target.theta)
        assert np.shares_memory(online.theta.data, (agent.actor_optimizer if online is agent.actor else agent.critic_optimizer).flats[0].data)
    agent.learn(60)
    assert not any(np.shares_memory(x, y) for i, x in enumerate(numbers(agent)) for y in numbers(agent)[:i])


def test_update_moves_the_targets_after_both_steps():  # T19
    agent, batch = small_agent(tau=0.5), random_batch(np.random.default_rng(0))
    before = agent.target_critic.theta.copy()
    agent.update(batch)
    np.testing.assert_allclose(agent.target_critic.theta, 0.5 * before + 0.5 * agent.critic.theta.data, rtol=1e-6)


# ---- line 7, actions
class Crooked(Constant):
    """Actions in -1 ... 3 and 0 ... 0.5."""

    def __init__(self):
        super().__init__(limit=50)
        self.action_space, self.taken = Box(np.array([-1, 0]), np.array([3, 0.5])), []

    def move(self, action):
        self.taken.append(np.array(action))
        return super().move(action)


def test_asymmetric_bounds_are_reached_and_never_left():  # T20, T21
    env = Crooked()
    agent = small_agent(env=env, noise=Gaussian(1.0), start_steps=200).learn(400)
    taken = np.array(env.taken)
    random, noisy = taken[:200], taken[200:]
    np.testing.assert_allclose(random.min(axis=0), [-1, 0], atol=0.05)
    np.testing.assert_allclose(random.max(axis=0), [3, 0.5], atol=0.05)
    assert (noisy >= [-1, 0]).all() and (noisy <= [3, 0.5]).all() and (noisy == [3, 0.5]).any(axis=0).all()
    assert np.corrcoef(noisy.T)[0, 1] == pytest.approx(0, abs=0.3)
    for unit, real in ((-1, [-1, 0]), (0, [1, 0.25]), (1, [3, 0.5])):
        np.testing.assert_allclose(agent.to_env(np.full(2, unit)), real)


def test_buffer_holds_what_the_networks_see():  # T22
    agent = small_agent().learn(20)
    rows = agent.replay.ring
    assert np.abs(rows.action[:20]).max() <= 1 and np.abs(rows.observation).max() <= 1
    env = Pendulum()
    observation, _ = env.reset(seed=agent.env_seed)
    np.testing.assert_allclose(rows.observation[0], observation / [1, 1, 8], rtol=1e-6)
    observation, reward, *_ = env.step(agent.to_env(rows.action[0]))
    np.testing.assert_allclose(rows.next_observation[0], observation / [1, 1, 8], rtol=1e-5)
    np.testing.assert_allclose(rows.reward[0], reward, rtol=1e-5)


def test_first_actions_are_near_zero():  # T23
    s = np.random.default_rng(0).uniform(-1, 1, (100, 3)).astype(np.float32)
    for seed in range(5):
        assert np.abs(DDPG(Pendulum(), seed).actor(Tensor(s)).data).max() < 0.05


def test_noise_statistics():  # T25
    rng = np.random.default_rng(0)
    for theta, sigma, dt in ((0.15, 0.2, 1.0), (0.5, 0.3, 0.1)):
        noise = OrnsteinUhlenbeck(theta, sigma, dt)
        noise.reset(2000)
        x = np.array([noise.draw(rng).copy() for _ in range(400)])[-100:]  # (100, 2000) stationary
        variance = sigma**2 * dt / (1 - (1 - theta * dt) ** 2)
        assert x.mean() == pytest.approx(0, abs=0.02)
        assert x.var() == pytest.approx(variance, rel=0.03)
        assert (x[1:] * x[:-1]).mean() / x.var() == pytest.approx(1 - theta * dt, rel=0.02)
        noise.reset(3)
        assert noise.state.tolist() == [0, 0, 0]
    assert sigma**2 / (2 * theta) == pytest.approx(variance, rel=0.03)  # the continuous limit
    noise = Gaussian(0.1)
    noise.reset(10_000)
    assert noise.draw(rng).std() == pytest.approx(0.1, rel=0.03)


# ---- the buffer
def test_ring_overwrites_the_oldest_and_copies():  # T27, T29
    replay, s = Replay(4, 1, 1), np.zeros(1)
    for i in range(6):
        s[0] = i
        replay.add(s, [-i], i, s, i % 2)
        assert len(replay) == min(i + 1, 4)
    assert sorted(replay.ring.reward.tolist()) == [2, 3, 4, 5] and replay.ring.observation[:, 0].tolist() == replay.ring.reward.tolist()
    half = Replay(100, 1, 1)
    for i in range(10):
        half.add([1], [1], 1, [1], 0)
    assert half.sample(1000, np.random.default_rng(0)).reward.min() == 1  # never a place that was not written


def test_sampling_is_uniform():  # T28
    replay = Replay(20, 1, 1)
    for i in range(20):
        replay.add([0], [0], i, [0], 0)
    counts = np.bincount(replay.sample(20_000, np.random.default_rng(0)).reward.astype(int), minlength=20)
    chi2 = ((counts - 1000) ** 2 / 1000).sum()
    assert 6 < chi2 < 44  # 19 degrees of freedom: outside with probability 0.001


def test_everything_is_float32():  # T31
    agent = small_agent().learn(40)
    batch = agent.replay.sample(8, agent.draws)
    assert {x.dtype.name for x in (*batch, *agent.replay.ring, *numbers(agent), agent.targets(batch))} == {"float32"}
    agent.update(batch)
    assert agent.critic.theta.grad.dtype == agent.actor.theta.grad.dtype == agent.act(np.zeros(3)).dtype == np.float32


def test_an_action_is_the_actor_in_the_units_of_the_world():
    env = Crooked()
    agent, observation = small_agent(env=env), np.array([0.7])
    unit = np.tanh(MLP.forward(agent.actor, np.float32([[0.7]])).data[0])  # the observation space has no bounds
    np.testing.assert_allclose(agent.mu(agent.scaled(observation)), unit, rtol=1e-6)
    np.testing.assert_allclose(agent.act(observation), [1, 0.25] + unit * [2, 0.25], rtol=1e-6)
    np.testing.assert_allclose(agent.to_env(np.array([0.5, -0.5])), [2, 0.125])
    pendulum = small_agent()
    np.testing.assert_allclose(pendulum.scaled(np.array([0.5, -1, 4])), [0.5, -1, 0.5])


def test_so_many_random_steps_then_the_actor_and_an_update_each():
    agent = small_agent(start_steps=20, batch_size=8, noise=Gaussian(0.0)).learn(20)
    assert agent.critic_optimizer.steps == 0 and np.abs(agent.replay.ring.action[:20]).max() <= 1
    s = agent.s
    agent.learn(1)  # the first step of the actor, the first update
    fresh = small_agent(start_steps=20, batch_size=8)  # its actor before any update
    np.testing.assert_array_equal(agent.replay.ring.action[20], fresh.mu(s))
    assert agent.critic_optimizer.steps == agent.actor_optimizer.steps == 1
    assert small_agent(start_steps=0, batch_size=8).learn(10).critic_optimizer.steps == 3  # after 8, 9 and 10 transitions


def test_noisy_actions_are_clipped_at_one_in_the_buffer():
    held = small_agent(noise=Gaussian(2.0), start_steps=10).learn(120).replay.ring.action[:120]
    assert held.min() == -1 and held.max() == 1


def test_the_loss_is_the_mean_square():
    agent, batch = small_agent(dtype=np.float64), random_batch(np.random.default_rng(5), dtype=np.float64)
    q = agent.critic(Tensor(pair(batch.observation, batch.action))).data
    expected = np.mean((q - agent.targets(batch)) ** 2)
    assert squared_error(Tensor(q, requires_grad=True), y=agent.targets(batch)).item() == pytest.approx(expected, rel=1e-12)
    assert agent.update(batch) == pytest.approx(expected, rel=1e-12)


# ---- seeds, evaluation, resume
def test_evaluation_disturbs_nothing_and_repeats():  # T32
    one, two = small_agent(), small_agent()
    one.learn(60)
    scores = evaluate(one, Pendulum(), 3, seed=7)
    one.learn(60)
    two.learn(120)
    assert [(x == y).all() for x, y in zip(numbers(one), numbers(two))] == [True] * 4
    np.testing.assert_array_equal(evaluate(two, Pendulum(), 3, seed=7), evaluate(two, Pendulum(), 3, seed=7))
    assert scores.shape == (3,) and len(set(scores)) == 3
    first = evaluate(two, Pendulum(), 1, seed=9)
    np.testing.assert_array_equal(first, evaluate(two, Pendulum(), 3, seed=7)[2:])  # episode i starts from seed + i


def test_same_seed_same_bits_other_seed_other_bits():  # T33
    one, two, other = (numbers(small_agent(seed).learn(60)) for seed in (3, 3, 4))
    assert all((x == y).all() for x, y in zip(one, two))
    assert not any((x == y).all() for x, y in zip(one, other))


@pytest.mark.parametrize("keywords", [{}, {"noise": OrnsteinUhlenbeck(), "decay_steps": 100, "capacity": 30}])
def test_resume_from_a_file_gives_the_same_bits(tmp_path, keywords):  # T58
    whole = small_agent(**keywords).learn(130)
    begun = small_agent(**keywords).learn(47)
    checkpoint.save(tmp_path / "agent.npz", begun.state_dict())
    state, returns = begun.state_dict(), list(begun.returns)
    begun.learn(300)  # what is done after saving must not leak
    assert state["returns"] == returns != begun.returns
    keywords = keywords | ({"noise": OrnsteinUhlenbeck()} if keywords else {})
    resumed = small_agent(seed=99, **keywords)
    resumed.load_state_dict(checkpoint.load(tmp_path / "agent.npz"))
    resumed.learn(83)
    assert all((x == y).all() for x, y in zip(numbers(whole), numbers(resumed)))
    assert [list(pair) for pair in resumed.returns] == [list(pair) for pair in whole.returns]
    with pytest.raises(ValueError, match="this agent is made of .*; what was saved is made of "):
        small_agent(hidden=(8, 8)).load_state_dict(checkpoint.load(tmp_path / "agent.npz"))


def test_resume_in_an_environment_without_state_begins_an_episode():
    class Foreign(Pendulum):
        state_dict = property()  # as if it had none

    agent = small_agent(env=Foreign()).learn(30)
    state = agent.state_dict()
    assert state["env"] is None
    other = small_agent(env=Foreign())
    other.load_state_dict(state)
    assert other.s is None
    other.learn(10)
    assert other.steps == 40


# ---- what it takes
def test_bad_arguments_say_what_is_wrong():
    for which, env in (("observation", GridWorld()), ("action", CartPole())):
        with pytest.raises(ValueError, match=rf"DDPG: the {which} space must be a Box of shape \(n,\), not Discrete"):
            DDPG(env)
    env = Pendulum()
    env.action_space = Box(-np.inf, np.inf, (1,))
    with pytest.raises(ValueError, match="finite bounds"):
        DDPG(env)
    with pytest.raises(ValueError, match="gamma"):
        DDPG(Pendulum(), gamma=1.1)
    with pytest.raises(ValueError, match="tau must lie between 0 and 1, not 5"):
        DDPG(Pendulum(), tau=5.0)
    with pytest.raises(ValueError, match="capacity 64 holds no batch of 128"):
        DDPG(Pendulum(), capacity=64, batch_size=128)
    for name, value in (("batch_size", 0), ("batch_size", 2.5), ("start_steps", -1), ("decay_steps", -5), ("decay_steps", 0)):
        with pytest.raises(ValueError, match=f"DDPG: {name} must be an integer of at least . not {value}".replace(". not", r"\d, not")):
            DDPG(Pendulum(), **{name: value})
    with pytest.raises(ValueError, match="DDPG: steps must be an integer of at least 0, not -5"):
        small_agent().learn(-5)
    with pytest.raises(ValueError, match="empty buffer"):
        Replay(3, 1, 1).sample(2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="capacity"):
        Replay(0, 1, 1)


def test_critic_and_actor_are_the_formulas():
    rng = np.random.default_rng(0)
    actor, critic = Actor((3, 8, 2), rng=rng), Critic((5, 8, 1), rng=rng)
    s, a = rng.standard_normal((4, 3)).astype(np.float32), rng.standard_normal((4, 2)).astype(np.float32)
    np.testing.assert_array_equal(actor(s).data, np.tanh(MLP.forward(actor, s)).data)
    assert actor(s).shape == (4, 2) and critic(Tensor(pair(s, a))).shape == (4,)
