"""TD3 as a difference from DDPG: all switched off it is DDPG; each of the three changes by hand; resume; what it cures."""

import copy
import inspect

import numpy as np
import pytest
from test_ddpg import Blind, Crooked, numbers, random_batch

import rl.td3
from minigrad import Tensor, checkpoint
from rl.ddpg import DDPG, pair
from rl.envs import LQR, Environment, Pendulum
from rl.evaluate import bootstrap_interval, evaluate, interquartile_mean
from rl.noise import OrnsteinUhlenbeck
from rl.spaces import Box
from rl.td3 import TD3

OFF = {"n_critics": 1, "policy_delay": 1, "target_noise_clip": 0.0}


def small_agent(seed=0, env=None, kind=TD3, **keywords):
    keywords = {"hidden": (16, 16), "batch_size": 8, "start_steps": 20} | keywords
    return kind(env or Pendulum(), seed, **keywords)


def plane(**keywords):
    """Two numbers in an observation, two in an action; in float64, with weights of order 1, so that nothing is near 0."""
    agent = small_agent(env=LQR(A=np.eye(2), B=np.ones((2, 2)), Q=np.eye(2), R=np.eye(2)), dtype=np.float64, **keywords)
    rng = np.random.default_rng(1)
    for network in (agent.actor, *agent.critics):
        network.theta.data = network.theta.data + 0.3 * rng.standard_normal(network.theta.shape)
    for network in (agent.target_actor, *agent.target_critics):
        network.theta += 0.3 * rng.standard_normal(network.theta.shape)
    return agent, random_batch(rng, n=2, m=2, dtype=np.float64)


def all_numbers(agent):
    """All weights, online and target, of all networks."""
    return [agent.actor.theta.data, *[c.theta.data for c in agent.critics], agent.target_actor.theta, *[c.theta for c in agent.target_critics]]


def equal(one, two):
    return [bool((x == y).all()) for x, y in zip(one, two, strict=True)]


# ---- a difference from DDPG, and nothing else
@pytest.mark.parametrize("keywords", [{}, {"decay_steps": 60, "dtype": np.float64}])
def test_with_all_three_changes_off_every_bit_is_that_of_ddpg(keywords):
    ours, theirs = (small_agent(5, kind=kind, noise=OrnsteinUhlenbeck(), **keywords, **off) for kind, off in ((TD3, OFF), (DDPG, {})))
    ours.learn(80), theirs.learn(80)
    assert equal(numbers(ours), numbers(theirs)) == [True] * 4 and ours.returns == theirs.returns
    assert equal(ours.replay.ring, theirs.replay.ring) == [True] * 5
    for on in ({"n_critics": 2}, {"policy_delay": 2}, {"target_noise_clip": 0.5}):  # and each of them is seen
        other = small_agent(5, noise=OrnsteinUhlenbeck(), **keywords, **(OFF | on)).learn(80)
        assert equal(numbers(other), numbers(theirs)) == [False] * 4


def test_it_overrides_what_changes_and_nothing_else():
    own = {name for name, value in vars(TD3).items() if inspect.isfunction(value)}
    assert own == {"__init__", "target_actions", "targets", "critic_step", "update"}
    assert inspect.getsource(rl.td3).count("class ") == 1 and TD3.__mro__[1] is DDPG


def test_the_same_seed_begins_as_ddpg_does_and_the_second_critic_elsewhere():
    td3, ddpg = small_agent(7), small_agent(7, kind=DDPG)
    assert equal(numbers(td3), numbers(ddpg)) == [True] * 4 and td3.env_seed == ddpg.env_seed
    first, second = (c.theta.data for c in td3.critics)
    assert (first != second).all() and first.shape == second.shape
    assert equal([c.theta.data for c in td3.critics], [c.theta for c in td3.target_critics]) == [True, True]
    assert not any(np.shares_memory(x, y) for i, x in enumerate(all_numbers(td3)) for y in all_numbers(td3)[:i])
    assert td3.critics[0] is td3.critic and td3.target_critics[0] is td3.target_critic
    states = [rng.bit_generator.state["state"]["state"] for rng in (td3.explore, td3.draws, td3.smoothing)]
    assert len(set(states)) == 3 and states[:2] == [rng.bit_generator.state["state"]["state"] for rng in (ddpg.explore, ddpg.draws)]
    td3.learn(20), ddpg.learn(20)  # before any update: the same transitions
    assert equal(td3.replay.ring, ddpg.replay.ring) == [True] * 5
    _, other = (c.theta.data for c in small_agent(8).critics)
    assert (second != other).all()


# ---- line 11: smoothing
def test_target_actions_by_hand():  # T26
    agent, batch = plane(target_policy_noise=0.3, target_noise_clip=0.4)
    epsilon = np.clip(0.3 * copy.deepcopy(agent.smoothing).standard_normal((16, 2)), -0.4, 0.4)
    a = agent.target_actions(batch.next_observation)
    np.testing.assert_allclose(a, np.clip(agent.target_actor(batch.next_observation) + epsilon, -1, 1), rtol=1e-14)
    assert a.shape == (16, 2)


@pytest.mark.parametrize("sigma, c", [(0.2, 0.5), (0.2, 0.1), (0.05, 10.0)])
def test_smoothing_noise_is_drawn_for_each_transition_and_dimension_and_clipped(sigma, c):  # T26
    agent = small_agent(env=Crooked(), target_policy_noise=sigma, target_noise_clip=c, dtype=np.float64)
    s = np.full((20_000, 1), 0.5)  # the same state everywhere; the first actor says nearly 0
    noise = agent.target_actions(s) - agent.target_actor(s)  # (20,000, 2)
    z = np.clip(np.random.default_rng(0).standard_normal(10**6), -c / sigma, c / sigma)
    np.testing.assert_allclose(noise.std(axis=0), sigma * z.std(), rtol=0.03)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.03 * sigma)
    assert np.abs(noise).max() <= c + 1e-12 and len(np.unique(noise.round(12))) > (20_000 if c > 2 * sigma else 10_000)
    assert np.isclose(np.abs(noise).max(), c) == (c < 1)  # reached, where it can be
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.03  # dimensions are independent of each other
    assert abs(np.corrcoef(noise[1:, 0], noise[:-1, 0])[0, 1]) < 0.03  # and so are transitions


def test_target_actions_never_leave_the_space():
    agent, batch = plane(target_policy_noise=5.0, target_noise_clip=5.0)
    a = agent.target_actions(batch.next_observation)
    assert a.min() == -1 and a.max() == 1


# ---- line 11: the min of two
def test_the_target_is_the_lesser_of_both_targets_and_the_reward_alone_at_an_end():  # T1
    agent, batch = plane(gamma=0.9, target_noise_clip=0.0)
    pairs = pair(batch.next_observation, agent.target_actor(batch.next_observation))
    for critic in agent.target_critics:
        critic.theta[-1] -= critic(pairs).mean()  # the bias of the last layer: both have mean 0
    q1, q2 = (critic(pairs) for critic in agent.target_critics)  # (16,) each
    assert 0 < (q1 < q2).mean() < 1  # now the one, now the other: it is the least of each transition, not the lesser critic
    y = agent.targets(batch)
    assert y.shape == (16,) and type(y) is np.ndarray
    np.testing.assert_allclose(y, batch.reward + 0.9 * (1 - batch.terminated) * np.minimum(q1, q2), rtol=1e-14)
    np.testing.assert_array_equal(y[1::2], batch.reward[1::2])  # terminated


def test_more_critics_than_two():
    agent, batch = plane(gamma=0.9, target_noise_clip=0.0, n_critics=4)
    pairs = pair(batch.next_observation, agent.target_actor(batch.next_observation))
    least = np.array([critic(pairs) for critic in agent.target_critics]).min(axis=0)
    np.testing.assert_allclose(agent.targets(batch), batch.reward + 0.9 * (1 - batch.terminated) * least, rtol=1e-14)
    agent.update(batch), agent.update(batch)
    assert [o.steps for o in agent.optimizers] == [1, 2, 2, 2, 2]


def test_targets_see_no_online_weights():  # T10
    agent, batch = plane(target_noise_clip=0.0)
    before = agent.targets(batch)
    for network in (agent.actor, *agent.critics):
        network.theta.data = network.theta.data + 1
    np.testing.assert_array_equal(agent.targets(batch), before)


# ---- line 12: both critics, one target
def test_each_critic_takes_the_step_that_ddpg_would_take_towards_the_same_y():
    agent, batch = plane()
    y = copy.deepcopy(agent).targets(batch)
    x = Tensor(pair(batch.observation, batch.action))
    want = np.mean([np.mean((critic(x).data - y) ** 2) for critic in agent.critics]) * 2  # the sum of both losses

    class Given(DDPG):
        def targets(self, batch):
            return y

    theirs = []
    for critic in agent.critics:
        one = small_agent(env=agent.env, kind=Given, dtype=np.float64)
        one.critic.theta.data = critic.theta.data
        one.critic_step(batch)
        theirs.append(one.critic.theta.data.copy())
    before = [x.copy() for x in all_numbers(agent)]
    assert agent.critic_step(batch) == pytest.approx(want, rel=1e-12)
    assert equal(all_numbers(agent), before) == [True, False, False, True, True, True]  # T11
    assert equal([c.theta.data for c in agent.critics], theirs) == [True, True]
    assert agent.actor.theta.grad is None


def test_gradients_are_forgotten_between_steps():  # T12
    agent, batch = plane(target_noise_clip=0.0, policy_delay=1)
    agent.tau = 0.0
    for optimizer in agent.optimizers:
        optimizer.lr = 0.0
    agent.update(batch)
    first = [network.theta.grad.copy() for network in (agent.actor, *agent.critics)]
    agent.update(batch)  # nothing has moved, so the gradients are the same, not twice as large
    assert equal([network.theta.grad for network in (agent.actor, *agent.critics)], first) == [True] * 3


# ---- lines 13 and 14: every d-th time
def test_actor_and_targets_move_at_every_dth_update_only():  # T19
    agent, batch = plane(policy_delay=3, tau=0.25)
    for update in range(1, 8):
        before = [x.copy() for x in all_numbers(agent)]
        agent.update(batch)
        still = equal(all_numbers(agent), before)
        assert still == ([False] * 6 if update % 3 == 0 else [True, False, False, True, True, True]), update
        if update % 3 == 0:  # after both steps, all three of them
            for online, target, old in zip(all_numbers(agent)[:3], all_numbers(agent)[3:], before[3:]):
                np.testing.assert_allclose(target, 0.25 * online + 0.75 * old, rtol=1e-13)
    assert [o.steps for o in agent.optimizers] == [2, 7, 7]


def test_the_delay_counts_updates_not_steps_of_the_environment():  # T19
    agent = small_agent(start_steps=20, batch_size=8, policy_delay=2).learn(21)  # one update, after an odd number of steps
    assert agent.critic_optimizer.steps == 1 and agent.actor_optimizer.steps == 0
    assert agent.learn(1).actor_optimizer.steps == 1 and agent.learn(5).actor_optimizer.steps == 3


def test_the_actor_climbs_the_first_critic_only():
    (one, batch), (two, _) = plane(), plane()
    two.critics[1].theta.data = two.critics[1].theta.data + 1
    one.actor_step(batch), two.actor_step(batch)
    np.testing.assert_array_equal(one.actor.theta.data, two.actor.theta.data)
    two.critics[0].theta.data = two.critics[0].theta.data + 1
    two.actor.theta.data = plane()[0].actor.theta.data
    two.actor_step(batch)
    assert (one.actor.theta.data != two.actor.theta.data).any()


def test_rates_fall_with_every_update_for_all_networks():
    agent, batch = plane(decay_steps=4, actor_lr=1e-3, critic_lr=2e-3)
    for left in (0.75, 0.5, 0.25, 0):
        agent.update(batch)
        assert [o.lr for o in agent.optimizers] == pytest.approx([1e-3 * left, 2e-3 * left, 2e-3 * left])
    assert plane(critic_lr=2e-3)[0].schedules == [] and [o.lr for o in plane(critic_lr=2e-3)[0].optimizers] == [1e-3, 2e-3, 2e-3]


# ---- types, seeds, resume
def test_everything_is_float32():  # T31
    agent = small_agent(target_policy_noise=np.float64(0.2), target_noise_clip=np.float64(0.5)).learn(40)
    batch = agent.replay.sample(8, agent.draws)
    arrays = (*all_numbers(agent), agent.targets(batch), agent.target_actions(batch.next_observation), *[c.theta.grad for c in agent.critics])
    assert {x.dtype.name for x in arrays} == {"float32"}


def test_same_seed_same_bits_other_seed_other_bits_and_evaluation_disturbs_nothing():  # T32, T33
    one, two, other = (small_agent(seed).learn(60) for seed in (3, 3, 4))
    evaluate(one, Pendulum(), 2, seed=7)
    one.learn(30), two.learn(15), two.learn(15)
    assert equal(all_numbers(one), all_numbers(two)) == [True] * 6
    assert not any(equal(all_numbers(one), all_numbers(other)))


@pytest.mark.parametrize("keywords", [{}, {"decay_steps": 100, "capacity": 30, "policy_delay": 3, "n_critics": 3}, OFF])
def test_resume_from_a_file_gives_the_same_bits(tmp_path, keywords):  # T58
    whole = small_agent(**keywords).learn(130)
    begun = small_agent(**keywords).learn(47)  # after 27 updates, in the middle of a delay of two
    checkpoint.save(tmp_path / "agent.npz", begun.state_dict())
    state = begun.state_dict()
    kept = copy.deepcopy(state)
    begun.learn(100)  # what is done after saving must not leak
    resumed = small_agent(seed=99, **keywords)
    resumed.load_state_dict(checkpoint.load(tmp_path / "agent.npz"))
    resumed.learn(83)
    assert equal(all_numbers(whole), all_numbers(resumed)) == [True] * len(all_numbers(whole))
    again = small_agent(seed=98, **keywords)
    again.load_state_dict(state)
    again.learn(100)  # nor must what is done after loading
    assert all(equal(state["theta"], kept["theta"])) and len(kept["theta"]) == 2 + 2 * len(whole.critics)


def test_a_state_that_does_not_fit():
    for other in (small_agent(kind=DDPG), small_agent(n_critics=3), small_agent(n_critics=1)):
        with pytest.raises(ValueError, match=f"is made of TD3, Adam.* what was saved is made of {type(other).__name__}, Adam"):
            small_agent().load_state_dict(other.state_dict())
    for other in (small_agent(kind=DDPG), small_agent(**OFF, hidden=(8, 8))):
        with pytest.raises(ValueError, match="what was saved is made of"):
            small_agent(**OFF).load_state_dict(other.state_dict())


def test_bad_arguments_say_what_is_wrong():
    for name, value in (("policy_delay", 0), ("policy_delay", 1.5), ("n_critics", 0)):
        with pytest.raises(ValueError, match=rf"TD3: {name} must be an integer of at least 1, not {value}"):
            TD3(Pendulum(), **{name: value})
    for name, value in (("target_policy_noise", -0.1), ("target_noise_clip", np.inf), ("target_policy_noise", np.nan)):
        with pytest.raises(ValueError, match=rf"TD3: {name} must be a finite number of at least 0, not {value}"):
            TD3(Pendulum(), **{name: value})
    with pytest.raises(ValueError, match="capacity 64 holds no batch of 128"):
        TD3(Pendulum(), capacity=64, batch_size=128)


# ---- what it cures
class Coin(Environment):
    """+1 and -1 by turns and an observation drawn anew, whatever is done: every action is worth 0, but for one step's ±1."""

    def __init__(self, seed):
        super().__init__(Box(-1, 1, (2,)), Box(-1, 1, (1,)), 50)
        self.world, self.sign = np.random.default_rng(seed), 1.0

    def begin(self, options):
        return self.world.uniform(-1, 1, 2).astype(np.float32)

    def move(self, action):
        self.sign = -self.sign
        return self.begin({}), self.sign, False


def belief(kind, seed, looks):
    """What the critic says of the actor's actions, averaged over 500 observations and the looks after each 250 of its updates."""
    agent, said = kind(Coin(seed), seed, hidden=(32, 32), gamma=0.9, tau=0.02, start_steps=500, capacity=500, batch_size=64), []
    s = np.random.default_rng(0).uniform(-1, 1, (500, 2)).astype(np.float32)
    agent.learn(500)
    for _ in range(looks):
        agent.learn(250)
        said.append(agent.critic(pair(s, agent.actor(s).data)).data.mean())
    return np.mean(said)


@pytest.mark.proof
def test_ddpg_believes_in_luck_that_is_not_there_and_td3_in_less_of_it():
    ddpg, td3 = (np.array([belief(kind, seed, 6) for seed in range(6)]) for kind in (DDPG, TD3))
    assert bootstrap_interval(ddpg, np.random.default_rng(0), np.mean)[0] > 0.08  # the truth is 0
    assert bootstrap_interval(td3 - ddpg, np.random.default_rng(0), np.mean)[1] < -0.05
    assert abs(td3.mean()) < ddpg.mean() / 2


@pytest.mark.proof
def test_a_constant_reward_is_worth_what_it_is_worth():
    """1 for ever with gamma = .9 is worth 10; smoothing and the min must not move that, where there is nothing to choose."""
    agent, s = TD3(Blind(limit=10), 0, gamma=0.9, start_steps=64, hidden=(32, 32), tau=0.05).learn(3_000), np.ones((1, 1), np.float32)
    for critic in agent.critics:
        np.testing.assert_allclose(critic(pair(s, agent.actor(s).data)).data, 10, rtol=0.05)


@pytest.mark.proof
def test_it_swings_the_pendulum_up():  # T57; the full table: python -m examples.td3_pendulum --full
    scores = []
    for seed in (100, 101):
        agent = TD3(Pendulum(), seed, hidden=(64, 64), batch_size=128, tau=0.01, reward_scale=0.1).learn(7_000)
        scores.append(evaluate(agent, Pendulum(), 50, seed=60_000).mean())
    assert min(scores) > -250 and interquartile_mean(scores) > -200
