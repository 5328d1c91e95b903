"""The tiny runs of rl/'s agents with networks: see `tiny_runs.py`."""

import numpy as np

from rl import dqn, envs, policies, policy_gradient, ppo, td3
from rl.envs import short_corridor

from . import dqn as dqn_example
from . import exploration_noise, td3_pendulum, time_limits
from .tiny_runs import run
from .tiny_runs_rl import linear_world


@run(n=3, m=2, B=(1, 13), H={7, 11}, **{"in": (3, 5), "out": (1, 2)})
def twin_critics(rng):
    """TD3 in a linear world: updates with and without the actor, a saved agent."""
    agent = td3.TD3(linear_world(), 0, hidden=(7, 11), batch_size=13, capacity=19, start_steps=14, decay_steps=9).learn(17)
    agent.load_state_dict(agent.state_dict())


@run(n=3, m=1, B=(1, 5, 9), H={7}, **{"in": (3, 4), "out": 1})
def critics_and_returns(rng):
    """TD3 on Pendulum: what the critic says of 9 states, and what follows."""
    agent = td3.TD3(envs.Pendulum(), 0, hidden=(7,), batch_size=5, start_steps=6).learn(8)
    td3_pendulum.look(agent, 9, 2)


@run(N=3, L=5, n=1, m=1, B=(1, 2, 5), H={7}, **{"in": (1, 2), "out": 1})
def noise_and_clocks(rng):
    """Three cars that noise pushes; a critic in a world of one state, stopped after five steps."""
    exploration_noise.pushed_by(exploration_noise.noise(6.7), 3, rng, 2)
    time_limits.critic("done", 0, 4, limit=5, clock=True, every=2, hidden=(7,), batch_size=2, start_steps=1)


@run(n=4, A=2, B=(1, 13), H={7, 11}, **{"in": (4, 7, 11), "out": 2})
def q_networks(rng):
    """DQN and double DQN with a pole: a memory that is overwritten, copies, a saved agent."""
    settings = dict(hidden=(7, 11), batch_size=13, capacity=19, start_steps=14, decay_steps=9, target_every=3)  # noqa: C408
    for double in (False, True):
        agent = dqn.DQN(envs.CartPole(), 0, double=double, **settings).learn(21)
        agent.load_state_dict(agent.state_dict())
    agent.act(agent.env.reset(seed=0)[0])


@run(S=25, A=(2, 5), n=2, B=(1, 7, 25), H={7, 100}, K=1, **{"in": (3, 100), "out": (1, 2)})
def from_a_record(rng):
    """The book's world, learned from 30 steps; a picture of it."""
    run = dqn_example.learn_from_record(0, 30, 7, 3)
    dqn_example.draw({"30 steps": run}, np.ones((1, 3)))
    dqn_example.validated(dqn.DQN(envs.CartPole(), 0, hidden=(7,)), 1, 1, 1, 1)


@run(S=5, A=2, K=(1, 3), F=1, episodes=2)
def exact_policy_gradient(rng):
    """A policy of three parameters in five states: the exact gradient, the best baseline, all four methods; the corridor."""
    next_state = np.array([[1, 2], [3, 0], [4, 1], [4, 2], [4, 4]])[:, :, None]
    world = envs.TabularEnvironment(next_state, np.ones((5, 2, 1)), -np.ones((5, 2, 1)), np.arange(5) == 4, np.arange(5) == 0, 9)
    X, theta = rng.standard_normal((5, 2, 3)), rng.standard_normal(3)
    policy_gradient.exact_gradient(world.mdp(), theta, X, world.start, 0.9)
    policy, score = policy_gradient.softmax_policy(theta, X), policy_gradient.scores(theta, X)
    policy_gradient.optimal_baseline(policy, score, rng.standard_normal((5, 2)))
    for method in policy_gradient.METHODS:
        policy_gradient.learn(world, X, 2, method=method, alpha=0.1, alpha_w=0.1 * (method != "reinforce"), rng=rng)


@run(S=4, A=2, K=(1, 2))
def corridor(rng):
    """The short corridor, and a picture of it."""
    world = short_corridor.ShortCorridor(9)
    world.value(0.3), world.features, world.reset(seed=0), world.render(4)


@run(n=4, A=2, B=(1, 5, 6, 11), T=11, H={7}, **{"in": (4, 7), "out": (1, 2)})
def rollouts(rng):
    """PPO with a pole: eleven steps, two minibatches; a saved agent; REINFORCE as a setting."""
    agent = ppo.PPO(envs.CartPole(), 0, hidden=(7,), rollout_steps=11, batch_size=5, epochs=2, decay_steps=22).learn(14)
    agent.load_state_dict(agent.state_dict())
    agent.act(agent.env.reset(seed=0)[0])


@run(n=3, m=2, B=(1, 5, 6, 11), T=11, H={7}, **{"in": (3, 7), "out": (1, 2)})
def real_actions(rng):
    """PPO with two real actions; the density of squashed ones."""
    agent = ppo.PPO(linear_world(), 0, hidden=(7,), rollout_steps=11, batch_size=5, epochs=2).learn(14)
    agent.act(agent.env.reset(seed=0)[0])
    policies.squashed_gaussian_log_prob(rng.standard_normal((5, 2)), np.zeros((5, 2)), np.zeros(2))
