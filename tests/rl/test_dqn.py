"""DQN, line by line: targets, gradients, the copy, exploration, the memory, seeds, exact resume; what it learns."""

import numpy as np
import pytest

from examples.dqn import BookGrid, PairNetwork, learn_from_record, optimal_cells, solution, validated
from minigrad import Tensor, checkpoint, gradcheck
from rl.dqn import DQN, QNetwork, epsilon_at, taken
from rl.envs import CartPole, Environment, GridWorld, Pendulum
from rl.evaluate import evaluate
from rl.replay import Batch
from rl.spaces import Box, Discrete


def random_batch(rng, size=16, n=4, n_actions=2, dtype=np.float32):
    s, s2 = rng.standard_normal((2, size, n))
    a, r = rng.integers(n_actions, size=(size, 1)), rng.standard_normal(size)
    return Batch(*[x.astype(dtype) for x in (s, a, r, s2, np.arange(size) % 2)])


def small_agent(seed=0, env=None, **keywords):
    return DQN(env or CartPole(), seed, **{"hidden": (16, 16), "batch_size": 8, "start_steps": 20, "target_every": 10} | keywords)


def apart(agent, seed=9):
    """The agent with other weights in its copy than in its network."""
    rng = np.random.default_rng(seed)
    for theta in (agent.network.theta.data, agent.target.theta):
        theta += 0.5 * rng.standard_normal(theta.shape).astype(theta.dtype)
    return agent


# ---- line 13, the target


@pytest.mark.parametrize("double", [False, True])
def test_target_bootstraps_unless_terminated_and_the_right_network_chooses(double):
    agent, batch = apart(small_agent(gamma=0.9, double=double)), random_batch(np.random.default_rng(0), size=200)
    q, online = agent.target(batch.next_observation), agent.network(batch.next_observation).data
    y = agent.targets(batch)
    assert y.shape == (200,) and y.dtype == np.float32 and type(y) is np.ndarray
    np.testing.assert_array_equal(y[1::2], batch.reward[1::2])
    follow = [row[(o if double else row).argmax()] for row, o in zip(q, online)]
    np.testing.assert_allclose(y[::2], (batch.reward + 0.9 * np.array(follow))[::2], rtol=1e-6)
    assert 20 < (q.argmax(axis=1) != online.argmax(axis=1)).sum() < 180  # so the two targets do differ


def test_double_q_is_lower_where_values_are_noise():
    """Equal true values, independent noise in both networks: the maximum is too high, the judged choice is not."""
    agent, rng = small_agent(env=CartPole(), gamma=1.0, double=True), np.random.default_rng(0)
    noise = rng.standard_normal((2, 5000, 2)).astype(np.float32)
    agent.network = lambda s: Tensor(noise[0])
    agent.target = lambda s: noise[1]
    batch = Batch(*[np.zeros((5000, 4))] * 2, np.zeros(5000), np.zeros((5000, 4)), np.zeros(5000))
    assert agent.targets(batch).mean() == pytest.approx(0, abs=3 / 5000**0.5)
    agent.double = False
    assert agent.targets(batch).mean() == pytest.approx(np.pi**-0.5, abs=3 / 5000**0.5)  # E max of two standard normals


class Constant(Environment):
    """Reward 1 for ever, or until it is terminated; the observation counts the steps, or is always 1."""

    def __init__(self, limit=None, ends=None, blind=False):
        super().__init__(Box(-np.inf, np.inf, (1,)), Discrete(3, start=5), limit)
        self.ends, self.blind, self.taken = ends, blind, []

    def begin(self, options):
        self.state = np.zeros(1)
        return self.look()

    def look(self):
        return np.ones(1, np.float32) if self.blind else self.state.astype(np.float32)

    def move(self, action):
        self.taken.append(action)
        self.state = self.state + 1
        return self.look(), 1.0, self.ends is not None and self.state[0] >= self.ends


def test_memory_holds_terminated_only_and_the_observation_before_the_reset():
    for env, flag in ((Constant(limit=3), 0), (Constant(ends=3), 1), (Constant(limit=3, ends=3), 1)):
        agent = small_agent(env=env, reward_scale=0.5).learn(6)
        held = agent.replay.ring
        assert held.terminated[:6].tolist() == [0, 0, flag, 0, 0, flag]
        assert held.observation[:6, 0].tolist() == [0, 1, 2, 0, 1, 2] and held.next_observation[:6, 0].tolist() == [1, 2, 3, 1, 2, 3]
        assert agent.returns == [(3, 3.0), (6, 3.0)] and held.reward[:6].tolist() == [0.5] * 6
        assert (held.action[:6, 0] + 5).tolist() == env.taken  # actions count from 0 in the memory, from 5 in the world
        assert agent.act(np.zeros(1)) - 5 == agent.values(np.zeros((1, 1)))[0].argmax()


def test_a_truncated_episode_goes_on_in_the_target():
    """A reward of 1 for ever is worth 2 at gamma = .5; who takes the clock, every second step, for an end learns less."""
    agent = small_agent(env=Constant(limit=2, blind=True), gamma=0.5, hidden=(8,), lr=0.01, decay_steps=1_000).learn(1_020)
    np.testing.assert_allclose(agent.values(np.ones((1, 1))), 2, atol=0.01)


# ---- line 14, the step


@pytest.mark.parametrize("network", [QNetwork, PairNetwork])
@pytest.mark.parametrize("double", [False, True])
def test_gradient_of_the_loss_equals_central_differences_with_the_target_held(network, double):
    hidden = (16,) if network is PairNetwork else (16, 16)
    agent = apart(small_agent(dtype=np.float64, network=network, hidden=hidden, double=double))
    batch, theta = random_batch(np.random.default_rng(1), dtype=np.float64), agent.network.theta.data.copy()
    y, a = agent.targets(batch), batch.action[:, 0].astype(int)

    def loss(values):
        agent.network.theta.data = values
        return np.mean((y - agent.network(batch.observation).data[np.arange(16), a]) ** 2)

    assert agent.loss(batch).item() == pytest.approx(loss(theta), rel=1e-12)
    agent.loss(batch).backward()
    gradient, rng = agent.network.theta.grad.copy(), np.random.default_rng(2)
    for _ in range(5):
        v = rng.standard_normal(theta.shape)
        assert gradient @ v == pytest.approx((loss(theta + 1e-6 * v) - loss(theta - 1e-6 * v)) / 2e-6, rel=1e-5)


def test_only_the_action_taken_gets_a_gradient():
    q, a = Tensor(np.arange(12.0).reshape(4, 3), requires_grad=True), np.array([2, 0, 1, 1])
    assert taken(q, a).data.tolist() == [2, 3, 7, 10] and taken(q.data, a).tolist() == [2, 3, 7, 10]
    taken(q, a).sum().backward()
    np.testing.assert_array_equal(q.grad, np.eye(3)[a])
    gradcheck(lambda t: taken(t, a), [q.data], rng=np.random.default_rng(0))


def test_the_copy_gets_no_gradient_and_an_update_forgets_the_last():
    agent, batch = small_agent(lr=0.0), random_batch(np.random.default_rng(3))
    assert type(agent.target.theta) is np.ndarray and agent.target.parameters() == []
    agent.update(batch)
    first = agent.network.theta.grad.copy()
    agent.update(batch)
    np.testing.assert_array_equal(agent.network.theta.grad, first)


# ---- line 15, the copy


def test_the_copy_stands_still_for_C_updates():
    agent, rng = small_agent(target_every=4), np.random.default_rng(4)
    start = agent.target.theta.copy()
    np.testing.assert_array_equal(start, agent.network.theta.data)
    for update in range(1, 13):
        agent.update(random_batch(rng))
        assert not np.shares_memory(agent.target.theta, agent.network.theta.data)
        if update % 4 == 0:
            start = agent.network.theta.data.copy()
        np.testing.assert_array_equal(agent.target.theta, start)
        assert (agent.network.theta.data != start).any() == (update % 4 != 0)


# ---- lines 7 and 8, exploration


def test_epsilon_falls_in_a_straight_line():
    assert [epsilon_at(t, 10, 100, 0.1) for t in (0, 10, 60, 110, 10**6)] == pytest.approx([1, 1, 0.55, 0.1, 0.1], abs=1e-12)


def test_the_share_of_random_actions_is_epsilon_and_the_best_is_among_them():
    agent = small_agent(env=Constant(limit=100), start_steps=0, epsilon=0.3, epsilon_steps=1)
    agent.s, agent.steps = np.zeros(1, np.float32), 2
    best = agent.greedy(agent.s)
    share = np.bincount([agent.explore_action() for _ in range(6000)], minlength=3) / 6000
    np.testing.assert_allclose(share, np.where(np.arange(3) == best, 0.8, 0.1), atol=4 * 0.5 / 6000**0.5)


def test_updates_begin_after_the_random_steps_and_come_every_so_often():
    assert small_agent().learn(20).optimizer.steps == 0
    assert small_agent().learn(30).optimizer.steps == 10
    assert small_agent(train_every=4).learn(40).optimizer.steps == 5
    assert small_agent(start_steps=0).learn(10).optimizer.steps == 3  # with 8, 9 and 10 in the memory


# ---- networks


def test_q_network_and_pair_network_value_all_actions():
    rng = np.random.default_rng(5)
    assert QNetwork(4, 3, (7, 5), rng=rng)(np.ones((2, 4), np.float32)).shape == (2, 3)
    network, s = PairNetwork(2, 5, (7,), rng=rng, dtype=np.float64), rng.random((3, 2))
    W, b, w, c = np.split(network.theta.data, [21, 28, 35])
    by_hand = [[np.tanh(W.reshape(7, 3) @ [*x, a] + b) @ w + c[0] for a in (0, 0.25, 0.5, 0.75, 1)] for x in s]
    np.testing.assert_allclose(network(s).data, by_hand, rtol=1e-12)
    np.testing.assert_array_equal(network.frozen()(s), network(s).data)


def test_everything_is_float32():
    agent = small_agent(double=True).learn(40)
    batch = agent.replay.sample(8, agent.draws)
    assert {x.dtype.name for x in (*batch, agent.targets(batch), agent.network.theta.data, agent.target.theta)} == {"float32"}
    agent.update(batch)
    assert agent.network.theta.grad.dtype == agent.values(np.zeros((1, 4))).dtype == np.float32


# ---- seeds, evaluation, resume


def numbers(agent):
    return [agent.network.theta.data, agent.target.theta, *agent.replay.ring]


def same(one, two):
    return all(np.array_equal(x, y) for x, y in zip(numbers(one), numbers(two), strict=True))


def test_learn_in_parts_is_learn_at_once_and_evaluation_disturbs_nothing():
    one, two, other = small_agent(3), small_agent(3).learn(150), small_agent(4).learn(150)
    for part in (1, 60, 0, 89):
        one.learn(part)
        evaluate(one, CartPole(), 1, seed=7)
    assert same(one, two) and one.returns == two.returns and not same(two, other)


@pytest.mark.parametrize("keywords", [{}, {"double": True, "decay_steps": 100, "capacity": 30, "train_every": 3}])
def test_resume_from_a_file_gives_the_same_bits(tmp_path, keywords):
    whole, begun = small_agent(**keywords).learn(130), small_agent(**keywords).learn(47)
    checkpoint.save(tmp_path / "agent.npz", begun.state_dict())
    state, returns = begun.state_dict(), list(begun.returns)
    begun.learn(100)  # what is done after saving must not leak
    assert state["returns"] == returns != begun.returns
    resumed = small_agent(seed=99, **keywords)
    resumed.load_state_dict(checkpoint.load(tmp_path / "agent.npz"))
    resumed.learn(83)
    assert same(whole, resumed) and [list(pair) for pair in resumed.returns] == [list(pair) for pair in whole.returns]
    with pytest.raises(ValueError, match="this agent is made of .*; what was saved is made of "):
        small_agent(hidden=(8, 8)).load_state_dict(checkpoint.load(tmp_path / "agent.npz"))


def test_resume_in_an_environment_without_state_begins_an_episode():
    class Foreign(CartPole):
        state_dict = property()  # as if it had none

    agent, other = small_agent(env=Foreign()).learn(30), small_agent(env=Foreign())
    other.load_state_dict(agent.state_dict())
    assert other.s is None and other.learn(10).steps == 40


def test_a_real_gymnasium_environment_gives_the_same_bits():
    env = pytest.importorskip("gymnasium").make("CartPole-v1")
    theirs, ours = small_agent(env=env).learn(60), small_agent().learn(60)
    assert same(theirs, ours)


# ---- what it takes


def test_bad_arguments_say_what_is_wrong():
    with pytest.raises(ValueError, match="the action space must be Discrete, not Box.*take DDPG"):
        DQN(Pendulum())
    with pytest.raises(ValueError, match=r"observation space must be a Box of shape \(n,\), not Discrete"):
        DQN(GridWorld())
    with pytest.raises(ValueError, match="capacity 64 holds no batch of 128"):
        small_agent(capacity=64, batch_size=128)
    for name, value in (("gamma", 1.1), ("epsilon", -0.1)):
        with pytest.raises(ValueError, match=f"{name} must lie between 0 and 1, not {value}"):
            small_agent(**{name: value})
    for name, value in (("batch_size", 0), ("target_every", 2.5), ("start_steps", -1), ("epsilon_steps", 0), ("decay_steps", -5)):
        with pytest.raises(ValueError, match=rf"DQN: {name} must be an integer of at least \d, not {value}"):
            small_agent(**{name: value})
    with pytest.raises(ValueError, match="DQN: steps must be an integer of at least 0, not -5"):
        small_agent().learn(-5)
    for observation in (0.0, np.zeros(1), np.full(4, np.nan)):
        with pytest.raises(ValueError, match="an observation must be 4 finite numbers"):
            small_agent().act(observation)


def test_what_must_not_happen_stops_the_run():
    class Broken(Constant):
        def move(self, action):
            return self.look(), np.nan, False

    agent = small_agent(env=Broken())
    with pytest.raises(ValueError, match="the reward after step 0 is nan: it must be a finite number"):
        agent.learn(1)
    assert len(agent.replay) == 0
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="Q is NaN: the weights have run away"):
        small_agent(lr=1e30, epsilon=0.0, epsilon_steps=1).learn(200)


# ---- what it learns


def test_one_batch_is_learned_by_heart():
    agent, batch = small_agent(gamma=0.0, lr=0.01, hidden=(64, 64)), random_batch(np.random.default_rng(6))
    losses = [agent.update(batch) for _ in range(600)]
    assert losses[0] > 0.5 and losses[-1] < 1e-4


def test_the_books_grid_is_seen_as_row_and_column():
    env = BookGrid()
    env.reset(seed=0)
    for state, seen, reward in ((7, [0.25, 0.75], 0), (5, [0.25, 0.25], -10), (15, [0.75, 0.25], -10), (16, [0.75, 0.5], 1)):
        env.state = state
        observation, paid, *_ = env.step(env.actions.index("right"))
        assert observation.tolist() == seen and paid == reward
    v, q = solution()
    assert v[[0, 17, 24]].round(1).tolist() == [3.5, 10.0, 8.1]  # Zhao, figure 3.4 (d)
    np.testing.assert_allclose(q.max(axis=1), v)


@pytest.mark.proof
def test_the_books_grid_from_1000_steps_and_from_100():
    agent, held, history = learn_from_record(0, 1_000, 100, 1_000)
    assert optimal_cells(agent) == 25 and history[-1, 1] <= 0.05 and history[-1, 0] < 1e-3
    agent, held, history = learn_from_record(0, 100, 50, 1_000)
    assert 40 < held.sum() < 75 and history[-1, 0] < 0.01 and history[-1, 1] > 2 and optimal_cells(agent) < 25


@pytest.mark.proof
def test_cart_pole_is_balanced_after_8000_steps():
    """Part of the example's run: two of its seeds, the network chosen among eight."""
    for seed in (0, 1):
        _, _, returns = validated(DQN(CartPole(), seed, lr=3e-3, decay_steps=24_000, target_every=100), 8_000, 1_000)
        assert returns.mean() > 300  # at random: 22
