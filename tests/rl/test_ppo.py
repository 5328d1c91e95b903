"""PPO: GAE and the clipped surrogate by hand, gradients, time limits, resume; older methods as its settings; what it reaches."""

import copy

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, checkpoint
from rl.envs import LQR, CartPole, Environment, GridWorld, Pendulum
from rl.evaluate import evaluate
from rl.ppo import PPO, Rollout, clipped_surrogate, gae
from rl.spaces import Box, Discrete


def small_agent(seed=0, env=None, **keywords):
    return PPO(env or CartPole(), seed, **({"hidden": (8, 8), "rollout_steps": 40, "epochs": 2, "batch_size": 16} | keywords))


def numbers(agent):
    return [agent.policy.net.theta.data, agent.critic.theta.data]


def random_steps(n=40, seed=0):
    """rewards, values, next_values, terminated, ended of several episodes: a terminated one, a truncated one, one that goes on."""
    rng = np.random.default_rng(seed)
    terminated, ended = np.zeros(n), np.zeros(n)
    terminated[[7, 20]] = 1
    ended[[7, 12, 20, 33]] = 1
    r, v, v2 = rng.standard_normal((3, n))
    same = ended == 0
    v2[:-1][same[:-1]] = v[1:][same[:-1]]
    return r, v, v2, terminated, ended


# ---- generalized advantage estimation


def test_gae_by_hand():
    """Three steps, the episode is truncated after the second. gamma = 1/2, lambda = 1/2: the trace decays by 1/4."""
    r, v, v2 = [1.0, 2.0, 3.0], [4.0, 8.0, 2.0], [8.0, 6.0, 10.0]
    ended = [0, 1, 0]
    delta = [1 + 4 - 4, 2 + 3 - 8, 3 + 5 - 2]  # 1, −3, 6
    np.testing.assert_array_equal(gae(r, v, v2, [0, 0, 0], ended, 0.5, 0.5), [delta[0] + delta[1] / 4, -3, 6])
    np.testing.assert_array_equal(gae(r, v, v2, [0, 1, 0], ended, 0.5, 0.5), [1 - 6 / 4, 2 - 8, 6])  # terminated: no 3


def test_gae_against_the_sum_written_out():
    r, v, v2, terminated, ended = random_steps()
    gamma, lam = 0.9, 0.7
    delta = r + gamma * (1 - terminated) * v2 - v
    for t, got in enumerate(gae(r, v, v2, terminated, ended, gamma, lam)):
        last = t + np.argmax(np.append(ended[t:], 1))  # the last step of this episode, or beyond the rollout
        steps = range(t, min(last + 1, len(r)))
        assert got == pytest.approx(sum((gamma * lam) ** (k - t) * delta[k] for k in steps), rel=1e-12)


def test_a_terminated_step_must_have_ended_its_episode():
    with pytest.raises(ValueError, match="ended must be 1 there, too"):
        gae([0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0], 1.0, 1.0)


def test_all_b_squared_pairs_are_refused():
    log_prob, column = Tensor(np.zeros(4)), np.zeros((4, 1))
    for old, advantages in ((column, np.ones(4)), (np.zeros(4), column)):
        with pytest.raises(ValueError, match="all three must have one shape"):
            clipped_surrogate(log_prob, old, advantages, 0.2)


def test_lambda_0_is_delta_and_lambda_1_is_returns_less_v():  # T8
    r, v, v2, terminated, ended = random_steps()
    gamma = 0.9
    np.testing.assert_allclose(gae(r, v, v2, terminated, ended, gamma, 0.0), r + gamma * (1 - terminated) * v2 - v, rtol=1e-14)
    returns, g = np.empty(len(r)), 0.0
    for t in range(len(r))[::-1]:
        if ended[t] or t == len(r) - 1:
            g = (1 - terminated[t]) * v2[t]  # what follows, as V has it: nothing after the end of the world
        returns[t] = g = r[t] + gamma * g
    np.testing.assert_allclose(gae(r, v, v2, terminated, ended, gamma, 1.0), returns - v, rtol=1e-12, atol=1e-14)


def test_exact_values_make_advantages_of_mean_zero():
    """V = v of the policy: E[A] = 0 whatever λ is. A chain that ends with probability ¼ after each step, which pays 1: v = 4."""
    rng = np.random.default_rng(0)
    terminated = (rng.random(40_000) < 0.25).astype(float)
    v = np.full(40_000, 4.0)
    for lam in (0.0, 0.5, 1.0):
        a = gae(np.ones(40_000), v, v, terminated, terminated, 1.0, lam)
        assert abs(a.mean()) < 4 * a.std() * np.sqrt(4 / 40_000)  # at least a quarter of them independent


def test_gae_wants_one_shape():
    with pytest.raises(ValueError, match=r"gae: all must have one shape \(T,\), not"):
        gae(np.ones(3), np.ones((3, 1)), np.ones(3), np.zeros(3), np.zeros(3), 0.9, 0.9)
    with pytest.raises(ValueError, match="lam must lie between 0 and 1, not 2"):
        gae(*random_steps(), 0.9, 2)
    assert gae([1, 2], [0, 0], [0, 0], [False, True], [False, True], 1, 1).tolist() == [3, 2]  # lists, integers, booleans


# ---- the clipped surrogate


@pytest.mark.parametrize("ratio, advantage, value, slope", [
    (1.0, 2.0, 2.0, 2.0), (1.1, 2.0, 2.2, 2.2), (1.5, 2.0, 2.4, 0.0), (0.5, 2.0, 1.0, 1.0),
    (1.0, -2.0, -2.0, -2.0), (0.9, -2.0, -1.8, -1.8), (0.5, -2.0, -1.6, 0.0), (1.5, -2.0, -3.0, -3.0),
])  # fmt: skip
def test_clipped_surrogate_by_hand(ratio, advantage, value, slope):
    """slope: with respect to ln π, that is A r where it is not clipped."""
    log_prob = Tensor(np.log([ratio]), requires_grad=True)
    out = clipped_surrogate(log_prob, np.zeros(1), np.array([advantage]), 0.2)
    np.testing.assert_allclose(out.data, [value], rtol=1e-12)
    out.sum().backward()
    np.testing.assert_allclose(log_prob.grad, [slope], rtol=1e-12)


def test_the_surrogate_is_a_lower_bound_and_keeps_its_shape():
    rng = np.random.default_rng(0)
    log_prob, old, advantages = rng.standard_normal((3, 4, 5))
    out = clipped_surrogate(log_prob, old, advantages, 0.2)
    assert out.shape == (4, 5) and (out <= np.exp(log_prob - old) * advantages).all()


@pytest.mark.parametrize("env", [CartPole(), Pendulum()])
def test_in_the_first_step_its_slope_is_the_policy_gradient(env):
    """r = 1: ∇ mean min(r A, clip(r) A) = mean A ∇ ln π, for both kinds of actions."""
    agent = small_agent(env=env, dtype=np.float64, batch_size=None, rollout_steps=1000).learn(30)
    rollout = agent.rollout()
    old, advantages, _ = agent.constants(rollout)
    log_prob, _ = agent.policy.log_prob(rollout.observation, rollout.action)
    parameters = agent.policy.parameters()
    expected = minigrad.grad((log_prob * advantages).mean(), parameters)
    log_prob, _ = agent.policy.log_prob(rollout.observation, rollout.action)
    got = minigrad.grad(clipped_surrogate(log_prob, old, advantages, 0.2).mean(), parameters)
    for a, b in zip(got, expected):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-10, atol=1e-15)
        assert np.abs(a.data).max() > 0


@pytest.mark.parametrize("env", [CartPole(), Pendulum()])
def test_the_gradient_of_the_policys_step_equals_central_differences(env):
    agent, rng = small_agent(env=env, dtype=np.float64, rollout_steps=1000, entropy=0.1).learn(30), np.random.default_rng(0)
    rollout = agent.rollout()
    old, advantages, _ = agent.constants(rollout)
    agent.policy.net.theta.data = agent.policy.net.theta.data + 0.1 * rng.standard_normal(agent.policy.net.theta.shape)  # r ≠ 1
    start = {name: p.data.copy() for name, p in agent.policy.named_parameters()}

    def gain(t, direction):
        for name, p in agent.policy.named_parameters():
            p.data = start[name] + t * direction[name]
        log_prob, entropy = agent.policy.log_prob(rollout.observation, rollout.action)
        ratio = np.exp(log_prob.data - old)
        a = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        return np.minimum(ratio * a, np.clip(ratio, 0.8, 1.2) * a).mean() + 0.1 * entropy.data.mean()

    agent.optimizers[0].lr = 0.0
    agent.clip = 0.2
    agent.policy_step(rollout.observation, rollout.action, old, advantages)
    gradient = {name: p.grad.copy() for name, p in agent.policy.named_parameters()}
    for _ in range(4):
        v = {name: rng.standard_normal(p.shape) for name, p in agent.policy.named_parameters()}
        slope = (gain(1e-6, v) - gain(-1e-6, v)) / 2e-6
        assert sum((gradient[name] * v[name]).sum() for name in v) == pytest.approx(-slope, rel=1e-5)  # minus: it goes up


def test_the_old_probabilities_stay_while_the_policy_moves():
    """The ratio leaves 1 as the epochs go on; with each update it begins at 1 again."""
    agent = small_agent(actor_lr=0.01, epochs=5, batch_size=None)
    seen, step = [], agent.policy_step
    agent.policy_step = lambda s, a, old, advantages: (
        seen.append(np.abs(agent.policy.log_prob(s, a)[0].data - old).max()),
        step(s, a, old, advantages),
    )
    agent.learn(80)
    assert max(seen[0], seen[5]) < 1e-6 and min(seen[1], seen[2], seen[4], seen[6]) > 1e-3


# ---- time limits, rollouts


class Constant(Environment):
    """Pays 1 a step whatever is done, for ever; an episode is truncated after `limit` steps, or terminates after them."""

    def __init__(self, limit, ends=False):
        super().__init__(Box(-1, 1, (1,)), Discrete(2), None if ends else limit)
        self.limit, self.ends, self.state = limit, ends, np.zeros(1, np.float32)

    def begin(self, options):
        self.t = 0
        return np.ones(1, np.float32)

    def move(self, action):
        self.t += 1
        return np.ones(1, np.float32), 1.0, self.ends and self.t == self.limit


@pytest.mark.parametrize("ends, low, high", [(False, 9.7, 10.3), (True, 2.0, 7.0)])
def test_a_time_limit_is_no_end(ends, low, high):  # T4
    """γ = .9: 10 in a world that goes on, whoever stops the clock. One that ends after 10 steps is worth less, 6.5 at most."""
    agent = PPO(Constant(10, ends), 0, hidden=(8,), gamma=0.9, rollout_steps=50, critic_lr=0.03, epochs=4, batch_size=50).learn(
        3000
    )
    assert low < agent.value(np.ones((1, 1), np.float32))[0] < high


def test_a_rollout_holds_what_was_seen_across_episodes():  # T2, T29
    agent = small_agent(rollout_steps=1000).learn(200)
    rows, lengths = agent.rollout(), np.diff([0, *[step for step, _ in agent.returns]])
    assert isinstance(rows, Rollout) and len(agent.returns) > 1
    np.testing.assert_array_equal(np.flatnonzero(rows.ended), np.cumsum(lengths) - 1)
    inside = rows.ended[:-1] == 0
    np.testing.assert_array_equal(rows.observation[1:][inside], rows.next_observation[:-1][inside])
    assert (rows.observation[1:][~inside] != rows.next_observation[:-1][~inside]).all()  # the last seen, not that of the reset
    env = CartPole()
    observation, _ = env.reset(seed=agent.env_seed)
    np.testing.assert_allclose(rows.observation[0] * agent.observation_scale, observation, rtol=1e-6)
    assert rows.action.dtype == np.int64 and rows.observation.dtype == np.float32
    truncated = small_agent(env=Constant(10), rollout_steps=1000).learn(30).rollout()
    assert truncated.ended.sum() == 3 and truncated.terminated.sum() == 0
    assert small_agent(env=Constant(10, True), rollout_steps=1000).learn(30).rollout().terminated.sum() == 3


@pytest.mark.parametrize("whole, left", [(False, 2), (True, 4)])
def test_when_an_update_comes(whole, left):
    """Episodes of 10 steps, rollouts of 12: after 12, 24, ..., or, if they are to be whole, after 20, 40, ..."""
    sizes = []
    agent = small_agent(env=Constant(10), rollout_steps=12, whole_episodes=whole)
    agent.update = lambda rollout: sizes.append(len(rollout.reward))
    agent.learn(62 if not whole else 64)
    assert sizes == ([20] * 3 if whole else [12] * 5) and len(agent.rows) == left


def test_each_epoch_sees_each_step_once_in_another_order():
    agent, seen = small_agent(rollout_steps=50, epochs=3, batch_size=16), []
    agent.policy_step = lambda s, a, old, advantages: seen.append(s)
    agent.learn(50)
    sizes = [len(s) for s in seen]
    assert sizes == [17, 17, 16] * 3  # three of 16 or so, and none of two
    epochs = [np.concatenate(seen[i : i + 3]) for i in (0, 3, 6)]
    assert (epochs[0] != epochs[1]).any()
    for epoch in epochs[1:]:
        np.testing.assert_array_equal(np.sort(epoch, axis=0), np.sort(epochs[0], axis=0))


# ---- older methods


def test_reinforce_and_a2c_are_settings():
    """λ = 1 and V = 0: A is the return to the end of the episode. λ = 0: it is δ."""
    one = {"epochs": 1, "batch_size": None, "normalize": False, "gamma": 0.9, "rollout_steps": 30}
    agent = small_agent(**one, lam=1.0, baseline=False, whole_episodes=True)
    caught = []
    agent.update = lambda rollout: caught.append((rollout, *agent.constants(rollout)))
    agent.learn(150)
    rollout, _, advantages, returns = caught[0]
    g, expected = 0.0, []
    for r, ended in zip(rollout.reward[::-1], rollout.ended[::-1]):
        expected.append(g := r + 0.9 * g * (1 - ended))
    np.testing.assert_allclose(advantages, expected[::-1], rtol=1e-6)
    assert rollout.ended[-1] == 1
    agent = small_agent(**one, lam=0.0)
    agent.rollout_steps = 1000
    rollout = agent.learn(40).rollout()
    v, v2 = agent.value(rollout.observation), agent.value(rollout.next_observation)
    _, advantages, returns = agent.constants(rollout)
    np.testing.assert_allclose(advantages, rollout.reward + 0.9 * (1 - rollout.terminated) * v2 - v, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(returns, advantages + v, rtol=1e-6)


def test_without_a_baseline_v_learns_nothing():
    agent = small_agent(baseline=False)
    before = agent.critic.theta.data.copy()
    agent.learn(80)
    np.testing.assert_array_equal(agent.critic.theta.data, before)


# ---- actions


class Crooked(Environment):
    """Actions in −1 ... 3 and 0 ... 0.5, in float64; the reward asks for 2 and 0.1."""

    def __init__(self):
        super().__init__(Box(-1, 1, (2,)), Box(np.array([-1, 0]), np.array([3, 0.5]), dtype=np.float64), 20)
        self.taken = []

    def begin(self, options):
        return np.zeros(2, np.float32)

    def move(self, action):
        self.taken.append(np.array(action))
        return np.zeros(2, np.float32), -float((action[0] - 2) ** 2 + 16 * (action[1] - 0.1) ** 2), False


def test_real_actions_are_cut_to_their_bounds_and_the_rollout_keeps_what_was_drawn():  # T20
    env = Crooked()
    agent = small_agent(env=env, log_std=0.5, rollout_steps=1000).learn(200)
    taken, drawn = np.array(env.taken), agent.rollout().action
    np.testing.assert_allclose(taken, np.clip([1, 0.25] + drawn * [2, 0.25], [-1, 0], [3, 0.5]), rtol=1e-6)
    assert np.abs(drawn).max() > 1.5 and (taken == [3, 0.5]).any(axis=0).all() and (taken == [-1, 0]).any(axis=0).all()
    assert agent.act(np.zeros(2)).dtype == np.float64


def test_it_finds_the_best_action_of_a_world_without_states():
    agent = PPO(Crooked(), 1, hidden=(8,), rollout_steps=200, gamma=0.0, lam=0.0, actor_lr=0.02, critic_lr=0.01, epochs=5).learn(
        3000
    )
    np.testing.assert_allclose(agent.act(np.zeros(2)), [2, 0.1], atol=0.12)
    assert (agent.policy.log_std.data < -0.7).all()  # and it need not search any more


def test_numbered_actions_may_start_elsewhere_and_unbounded_ones_are_not_scaled():
    env = Constant(10)
    env.action_space = Discrete(3, start=5)
    agent = small_agent(env=env)
    assert {agent.to_env(a) for a in range(3)} == {5, 6, 7} and agent.learn(50).act(np.ones(1)) in (5, 6, 7)
    free = Constant(10)
    free.action_space = Box(-np.inf, np.inf, (1,))
    np.testing.assert_array_equal(small_agent(env=free).to_env(np.array([12.5])), [12.5])


# ---- seeds, resume


def test_evaluation_disturbs_nothing_and_learning_may_be_cut():  # T32
    one, two = small_agent(), small_agent()
    one.learn(53)
    evaluate(one, CartPole(), 2, seed=7)
    one.learn(67)
    two.learn(120)
    assert all((x == y).all() for x, y in zip(numbers(one), numbers(two))) and one.returns == two.returns
    assert evaluate(two, CartPole(), 2, seed=7).shape == (2,)


def test_same_seed_same_bits_other_seed_other_bits():  # T33
    one, two, other = (numbers(small_agent(seed).learn(80)) for seed in (3, 3, 4))
    assert all((x == y).all() for x, y in zip(one, two)) and not any((x == y).all() for x, y in zip(one, other))


@pytest.mark.parametrize("make", [CartPole, Pendulum])
@pytest.mark.parametrize("cut", [40, 57])
def test_resume_from_a_file_gives_the_same_bits(tmp_path, make, cut):  # T58
    keywords = {"decay_steps": 400}
    whole = small_agent(env=make(), **keywords).learn(160)
    begun = small_agent(env=make(), **keywords).learn(cut)
    checkpoint.save(tmp_path / "agent.npz", begun.state_dict())
    state, held = begun.state_dict(), copy.copy(begun.rows)
    begun.learn(200)  # what is done after saving must not leak
    assert len(state["rows"]) == len(held)
    resumed = small_agent(seed=99, env=make(), **keywords)
    resumed.load_state_dict(checkpoint.load(tmp_path / "agent.npz"))
    resumed.learn(160 - cut)
    assert all((x == y).all() for x, y in zip(numbers(whole), numbers(resumed)))
    assert [list(pair) for pair in resumed.returns] == [list(pair) for pair in whole.returns]
    with pytest.raises(ValueError, match="this agent is made of .*; what was saved is made of "):
        small_agent(hidden=(8, 9), env=make()).load_state_dict(state)


def test_resume_in_an_environment_without_state_begins_an_episode_and_a_rollout():
    class Foreign(CartPole):
        state_dict = property()  # as if it had none

    agent = small_agent(env=Foreign()).learn(30)
    other = small_agent(env=Foreign())
    other.load_state_dict(agent.state_dict())
    assert other.s is None and other.learn(20).steps == 50
    assert all(row[5] or (row[3] == after[0]).all() for row, after in zip(other.rows, other.rows[1:]))  # no gap in an episode
    ended = other.rollout().ended  # no advantage flows from the episode that was begun anew into the one that was left
    left = small_agent(env=Foreign()).learn(18)
    assert not left.rows[-1][5]
    again = small_agent(env=Foreign())
    again.load_state_dict(left.state_dict())
    assert again.rows[-1][5] and len(ended) == len(other.rows)


def test_the_rates_fall_to_zero():
    agent = small_agent(decay_steps=200).learn(200)
    assert agent.optimizers[0].lr == agent.optimizers[1].lr == 0
    for keywords in ({}, {"whole_episodes": True, "rollout_steps": 1}):  # by steps of the environment, whatever a rollout holds
        agent = small_agent(decay_steps=1000, **keywords).learn(300)
        learned = agent.steps - len(agent.rows)
        assert agent.optimizers[0].lr == pytest.approx(1e-3 * (1 - learned / 1000), rel=1e-12) and learned > 200


def test_gymnasiums_cart_pole_gives_the_same_bits():
    theirs = pytest.importorskip("gymnasium").make("CartPole-v1")
    one, two = small_agent().learn(120), small_agent(env=theirs).learn(120)
    assert all((x == y).all() for x, y in zip(numbers(one), numbers(two))) and one.returns == two.returns


# ---- what it takes


class Broken(Constant):
    """The reward is no number."""

    def move(self, action):
        return np.ones(1, np.float32), np.nan, False


def test_bad_arguments_say_what_is_wrong():
    for message, keywords in (
        ("gamma must lie", {"gamma": 1.1}), ("PPO: lam must lie between 0 and 1, not 2", {"lam": 2}),
        ("PPO: clip must lie between 0 and 1, not -1", {"clip": -1}), ("PPO: epochs must be an integer of at least 1, not 0", {"epochs": 0}),
        ("PPO: rollout_steps must be an integer", {"rollout_steps": 2.5}), ("PPO: batch_size must be an integer", {"batch_size": -3}),
        ("PPO: batch_size must be an integer", {"batch_size": 0}), ("PPO: decay_steps must be an integer", {"decay_steps": 0}),
        ("PPO: entropy and log_std must be finite", {"entropy": np.nan}), ("entropy and log_std must be finite", {"log_std": np.inf}),
        (r"observation space must be a Box of shape \(n,\), not Discrete", {"env": GridWorld()}),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            small_agent(**keywords)
    env = Constant(5)
    env.action_space = Box(-1, 1, (2, 2))
    with pytest.raises(ValueError, match=r"PPO: the action space must be a Box of shape \(n,\), not Box"):
        small_agent(env=env)
    with pytest.raises(ValueError, match="PPO: an observation must be 4 finite numbers"):
        small_agent().act(np.zeros(3))
    with pytest.raises(ValueError, match="the reward after step 0 is nan"):
        small_agent(env=Broken(5)).learn(1)
    with pytest.raises(ValueError, match="steps must be an integer of at least 0"):
        small_agent().learn(-1)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="the weights have run away"):
        small_agent(critic_lr=1e30, actor_lr=1e30).learn(4000)


# ---- what it reaches


@pytest.mark.proof
def test_cart_pole_is_held_up():
    """Seeds 0 to 2, 12,000 steps. (All ten, after 30,000: python -m examples.policy_gradient_cart_pole)"""
    for seed in range(3):
        agent = PPO(CartPole(), seed).learn(12_000)
        assert evaluate(agent, CartPole(), 20, 50_000).mean() >= 475


@pytest.mark.proof
def test_the_gain_of_a_linear_world_is_that_of_riccati():
    gains = []
    for seed in range(2):
        agent = PPO(
            LQR(noise=0.05), seed, hidden=(32,), gamma=0.9, rollout_steps=500, actor_lr=3e-3, critic_lr=1e-2, decay_steps=16_000
        )
        agent.learn(16_000)
        x = np.linspace(-0.6, 0.6, 13)
        u = np.array([agent.act(np.array([value], np.float32))[0] for value in x])
        gains.append(-(x @ u) / (x @ x))
    _, K = LQR().riccati(0.9)
    assert np.mean(gains) == pytest.approx(K[0, 0], rel=0.08)
