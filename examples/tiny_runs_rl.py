"""The tiny runs of rl/: see `tiny_runs.py`."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from minigrad import Tensor
from rl import ddpg, dynamic_programming, envs, episodes, evaluate, features, linear_control, mdp, n_step, noise, off_policy, sarsa, traces
from rl import linear_value as lv
from rl import monte_carlo as mc
from rl import stochastic_approximation as sa
from rl import temporal_difference as td
from rl.envs.cliff_walking import CliffWalking
from rl.envs.maximization_bias import MaximizationBias
from rl.envs.windy_grid import WindyGrid

from . import ddpg_pendulum, monte_carlo, temporal_difference, value_approximation
from . import traces as traces_example
from .tiny_runs import run

MAP = ".......\n.#..#.G"  # 14 states


@run(S=14, A=5, K=1)
def grid(rng):
    """A grid world: values, policies, the three algorithms of dynamic programming."""
    env = envs.GridWorld(MAP, target_terminal=True)
    process = env.mdp()
    for gamma in (1, 0.9):
        best = dynamic_programming.value_iteration(process, gamma)
        dynamic_programming.policy_iteration(process, gamma)
        dynamic_programming.truncated_policy_iteration(process, gamma, 3)
    uniform = mdp.uniform_policy(process)
    mdp.state_values_by_iteration(process, uniform, 0.9)
    endless = envs.GridWorld(MAP).mdp()
    mdp.stationary_distribution(endless, uniform)
    dynamic_programming.policy_iteration(mdp.soften_mdp(endless, 0.1), 0.9)
    str(process), env.values_text(best.values), env.policy_text(mdp.soften(best.policy, 0.1))
    env.reset(seed=0)
    env.step(1)
    env.render(4)
    env.load_state_dict(env.state_dict())


@run(S=13, A=1, K=(1, 3, 6), F=3, E=7, k=1)
def walk(rng):
    """A random walk of 11 states between two ends: episodes, prediction with linear features, by steps and in closed form."""
    env = envs.RandomWalk(11, 3)
    process, policy = env.mdp(), np.ones((13, 1))
    env.reset(seed=0)
    env.render()
    episodes.play(env, policy, 2, rng)
    record = episodes.play_fast(env, policy, 7, rng)
    for make in (features.polynomial(2), features.fourier(2)):
        Phi = make(np.linspace(0, 1, 13))
        d = lv.on_policy_distribution(process, policy, env.start)
        lv.gradient_monte_carlo(np.zeros(3), features.rows(Phi), record, 0.1, 0.9)
        lv.td(np.zeros(3), features.rows(Phi), record, 0.1, 0.9)
        w = lv.td_fixed_point(process, policy, 0.9, Phi, d)
        lv.errors(process, policy, 0.9, Phi, w, d)
        lv.lstd(Phi, record, 0.9)
        lv.recursive_lstd(Phi, record, 0.9)
    features.aggregation(13, 4)(np.arange(13))
    features.one_hot(13)(np.arange(13))


@run(S=14, A=3, T=9)
def episodes_alone(rng):
    """Monte Carlo: from every pair, from random pairs, with a policy that explores, and from another policy's episodes."""
    env = envs.GridWorld(MAP, actions=("right", "down", "up"), max_episode_steps=9)
    uniform = mdp.uniform_policy(env.mdp())
    for visit in mc.VISITS:
        learned = mc.mc_exploring_starts(env, 0.9, 5, visit=visit, rng=rng)
        mc.mc_epsilon_greedy(env, 0.9, 5, epsilon=np.linspace(1, 0, 5), visit=visit, alpha=0.1, before=learned, rng=rng)
    mc.mc_basic(env, 0.9, iterations=2, rng=rng)
    mc.importance_sampling(env, learned.policy, uniform, 0.9, 5, rng=rng)
    world = SimpleNamespace(observation_space=env.observation_space, action_space=env.action_space, reset=env.reset, step=env.step)
    return mc.mc_prediction(world, uniform, 0.9, 2, rng=rng).values, mc.mc_epsilon_greedy(world, 0.9, 2, epsilon=0.5, rng=rng)


@run(S={2, 14, 25}, episodes=3)
def chapter_monte_carlo(rng):
    """Pieces of the example."""
    monte_carlo.basic([2, 3], rng)
    monte_carlo.one_episode_an_iteration(monte_carlo.mild(11), 2, 0, 2)
    monte_carlo.epsilon_rows(11, 0, 2)
    monte_carlo.visit_counts(11, 0)
    monte_carlo.exploring_starts([1, 3], 0, 2)
    monte_carlo.explore_less([1, 3], 0, 2)
    monte_carlo.first_and_every(0.5, [1, 3], 0, 2)
    monte_carlo.off_policy([1, 3], 0, 2)


@run(S=7, A=2, F=8)
def star(rng):
    """Baird's star: the expected updates that diverge, and those that do not."""
    value_approximation.star_runs(3)


@run(S=25, A=5, K=(1, 3, 4, 6, 9, 10, 16), F={3, 4, 6, 9, 10, 16}, k=2)
def chapter_5(rng):
    """TD-Linear in the book's grid, as `value_approximation` runs it."""
    value_approximation.grid_runs(0, 2, 3, 11)


@run(A=3, k=2, T=8, F=(6, 648), episodes=(1, 2, 3))
def control(rng):
    """Sarsa and Q-learning: on a grid, and on mountain car under tiles, in Python and by the loops that are compiled elsewhere."""
    for method in ("sarsa", "q_learning"):
        car, tiles = envs.MountainCar(19), features.TileCoding([-1.2, -0.07], [0.6, 0.07])
        for learn in (linear_control.learn, linear_control.learn_fast):
            learn(car, tiles, 2, method=method, alpha=0.1 / 8, rng=rng)
    linear_control.learn(car, features.polynomial(2), 1, alpha=0.1, rng=rng)
    car.render()
    value_approximation.car_runs(0, 2, 3, limit=17)


@run(S=14, A=5, K=1, F=14, episodes=2)
def control_tables(rng):
    """The same over a table."""
    env = envs.GridWorld(MAP, target_terminal=True, max_episode_steps=19)
    for learn in (linear_control.learn, linear_control.learn_fast):
        learn(env, np.eye(14), 2, alpha=0.1, rng=rng)


@run(S=14, A=5, T={1, 2}, N=(4, 3, 11), K=3, episodes=3)
def temporal_differences(rng):
    """Tables that learn from each step: along their own way, and from a record of others."""
    env = envs.GridWorld(MAP, target_terminal=True, max_episode_steps=19)
    record = off_policy.record_fast(env, np.full((14, 5), 0.2), 11, rng)
    for method in td.METHODS:
        for learn in (td.learn, td.learn_fast):
            learn(env, 3, method=method, alpha=0.1, rng=rng).q.max()
        if method != "sarsa":
            off_policy.learn_off_policy(env, record, method=method, alpha=0.1, every=4)


@run(S=13, A=1, E=7)
def temporal_difference_prediction(rng):
    """TD(0) on a walk of 11 states."""
    td.td(np.zeros(13), episodes.play_fast(envs.RandomWalk(11, 3), np.ones((13, 1)), 7, rng), 0.1)


@run(S=48, A=4, K=1, runs=3, episodes=5)
def cliff(rng):
    """Cliff walking, and the example's runs there."""
    env = CliffWalking()
    env.reset(seed=0)
    env.render(4)
    temporal_difference.cliff_runs(0, 3, 5)


@run(S=70, A=(4, 9), K=(1, 3))
def wind(rng):
    """A grid with wind: as it is in the book, with King's moves, with gusts."""
    for env in (WindyGrid(), WindyGrid(kings_moves=True, stay=True, random_wind=True)):
        env.reset(seed=0)
        env.render(4)


@run(S=3, n=7, A=7, K=1000)
def noisy_promise(rng):
    """The world with a maximisation bias."""
    env = MaximizationBias(7)
    env.reset(seed=0)
    env.render(4)


@run(S=25, A=5, K=4, records=2)
def others_records(rng):
    """Q-learning from records of others, as the example does it."""
    temporal_difference.off_policy_runs(0, 2, 11, 3)
    temporal_difference.speed(0, 11, 3)


@run(F=3, E=7)
def many_steps(rng):
    """n-step TD and the three traces, on a walk of 11 states."""
    record = episodes.play_fast(envs.RandomWalk(11, 3), np.ones((13, 1)), 7, rng)
    Phi = features.rows(features.polynomial(2)(np.linspace(0, 1, 13)))
    n_step.n_step_td(np.zeros(3), Phi, record, 4, 0.1, 0.9)
    traces.lambda_return(np.zeros(3), Phi, record, 0.8, 0.1, 0.9)
    for trace in traces.TRACES.values():
        traces.td_lambda(np.zeros(3), Phi, record, trace, 0.8, 0.1, 0.9)


@run(n=(1, 5), K=8, A=(1, 3), F=(1, 648), episodes=2)
def memory(rng):
    """n-step Sarsa and Sarsa(lambda) on mountain car under tiles."""
    car, tiles = envs.MountainCar(19), features.TileCoding([-1.2, -0.07], [0.6, 0.07])
    for method in sarsa.METHODS:
        for learn in (sarsa.learn, sarsa.learn_fast):
            learn(car, tiles, 2, method=method, n=5, lam=0.9, alpha=0.1 / 8, rng=rng)


@run(runs=2, episodes=3)
def traces_chapter(rng):
    """The walk of 19 states and mountain car, as the example of the chapter runs them."""
    traces_example.walk_error(traces_example.walk_records(0, 2), "n-step TD", 3, 0.1)
    traces_example.car_runs(0, 2, 3, "replacing", 0.9, 0.5, limit=17)


def linear_world(steps=5):
    """Three numbers in an observation, two in an action."""
    B = np.array([[1, 0], [0, 1], [1, 1]])
    return envs.LQR(0.5 * np.eye(3), B, np.eye(3), np.eye(2), noise=0.1, max_episode_steps=steps)


@run(n=3, m=2, B=(1, 13, 19), H={7, 11}, **{"in": (3, 5), "out": (1, 2)})
def deterministic_policy_gradient(rng):
    """DDPG in a linear world: a buffer that is overwritten, updates, a saved agent, returns."""
    settings = dict(hidden=(7, 11), batch_size=13, capacity=19, start_steps=14, decay_steps=9)
    agent = ddpg.DDPG(linear_world(), 0, noise=noise.OrnsteinUhlenbeck(), **settings)
    agent.learn(21)
    agent.load_state_dict(agent.state_dict())
    ddpg.DDPG(linear_world(), 0, **settings).learn(16)
    evaluate.bootstrap_interval(evaluate.evaluate(agent, linear_world(), 3, 0), rng, draws=3)
    agent.env.riccati(0.9)
    agent.env.render()


@run(n=3, m=1, B=(1, 2, 25), H={7}, X=5, Y=5, **{"in": (3, 4), "out": 1})
def pendulum(rng):
    """DDPG on Pendulum, and the maps of `ddpg_pendulum`."""
    env = envs.Pendulum(3)
    agent = ddpg.DDPG(env, 0, hidden=(7,), batch_size=2, start_steps=3).learn(5)
    env.render(16)
    ddpg_pendulum.maps(agent, 5)
    for space in (env.action_space, env.observation_space, envs.MountainCar().action_space):
        repr(space), space.contains(space.sample()), space.wanted


@run(S=25, F=3, n=11, m=2, N=(5, 7, 2**16))
def measurements(rng):
    """Robbins-Monro: means, minima, values, and the conditions."""
    x, env = rng.standard_normal((11, 3)), envs.GridWorld(max_episode_steps=7)
    for batches in (sa.whole_batches(11, 5), sa.random_batches(11, 2, 5, rng)):
        w = sa.descend(sa.mean_gradient, np.ones(3), x, batches, sa.harmonic)
        sa.relative_error(w[:-1] - x[batches[:, 0]], w[:-1] - sa.batch_mean(x))
    sa.td(np.zeros(25), episodes.play_fast(env, mdp.uniform_policy(env.mdp()), 1, rng), 0.1, 0.9)
    sa.importance_terms(np.ones(3), np.full(3, 1 / 3), np.full(3, 1 / 3), np.zeros(11, int))
    sa.conditions(np.tanh, sa.harmonic, lambda w, n, rng: rng.standard_normal(n), -1, 1, rng)


@run(S=14, A=5, seeds=3, T=6)
def pictures(rng):
    """Figures; one is saved."""
    from minigrad import plot
    from rl import plot as rl_plot

    env = envs.GridWorld(MAP)
    best = dynamic_programming.value_iteration(env.mdp(), 0.9)
    rl_plot.grid_values(env, best.values)
    rl_plot.grid_values(env, best.values, corner=True)
    rl_plot.grid_policy(env, best.policy)
    rl_plot.grid_trajectory(env, [0, 1, 2, 9])
    rl_plot.learning_curves({"three seeds": (np.arange(6), rng.random((3, 6)))})
    rl_plot.heat_map(rng.random((2, 3)), np.arange(3), np.arange(2))
    plot.image_grid(rng.random((3, 15)), 2, height=3)
    plot.learning_curves([{"epoch": 1, "train": 2.0, "valid": 3.0}])
    t = Tensor(rng.random(3), requires_grad=True)
    ax = plot.draw_graph((np.exp(t) * 2).sum(), {t: "t"})
    with tempfile.TemporaryDirectory() as folder:
        plot.save(ax, Path(folder) / "graph.png", dpi=20)
