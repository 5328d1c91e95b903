"""Tiny runs through all of the library, for `examples.read`: each names the sizes that its symbols have.

A run is a function that takes a Generator. The sizes of one run differ, and are primes where they can be, so that a
shape comment cannot be right by accident. All kernels must run as plain Python (NUMBA_DISABLE_JIT), or nobody sees them.
"""

import tempfile
from pathlib import Path

import numpy as np

import minigrad
from minigrad import Tensor, checkpoint, datasets, functional, nn, ops, optim, training
from models import fvsbn, made, mlp, nade
from rl import ddpg, dynamic_programming, envs, episodes, evaluate, features, linear_control, mdp, noise
from rl import linear_value as lv

from . import autograd_tour, ddpg_pendulum, generative_models, nade_mnist, value_approximation

RUNS = []  # pairs: a function, its sizes
MAP = ".......\n.#..#.G"  # 14 states
MOVES = ("up", "right", "down", "left", "stay")


def run(**sizes):
    """Decorator: a run, and what symbols mean in it, a number or several."""
    return lambda function: RUNS.append((function, sizes)) or function


@run(n=3, k=5, m=7, N=3, C=5)
def engine(rng):
    """Every primitive, there and back, and back again; then what else the engine offers."""
    x, y, b = rng.uniform(0.2, 0.8, (3, 5)), rng.uniform(0.2, 0.8, (3, 5)), rng.uniform(0.2, 0.8, (2, 5, 7))
    v, w = x[0], y[0]
    one = (np.exp, np.log, np.sqrt, np.tanh, np.negative, ops.sigmoid, ops.relu, ops.softplus, ops.log_sigmoid, functional.silu,
           functional.softmax, lambda t: ops.logsumexp(t, 1), lambda t: np.cumsum(t, axis=1), lambda t: np.max(t, axis=1),
           lambda t: np.mean(t, axis=0), lambda t: t.sum(), lambda t: t.T, lambda t: t.reshape(5, 3), lambda t: t[1:, [0, 0, 2]],
           lambda t: t[1], lambda t: np.broadcast_to(t, (2, 3, 5)), lambda t: np.where(x > 0.5, t, 1 - t), lambda t: t.astype(np.float64),
           lambda t: functional.layer_norm(t, 5), lambda t: functional.cross_entropy(t, np.array([0, 4, 2])))  # fmt: skip
    two = (np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, functional.mse_loss,
           functional.binary_cross_entropy_with_logits, lambda s, t: np.concatenate([s, t], axis=1), lambda s, t: np.stack([s, t]))  # fmt: skip
    products = ((x, v), (v, w), (v, b), (x, b), (rng.uniform(size=(2, 3, 5)), v))
    for function in one:
        minigrad.gradcheck(function, [x], rng=rng, directions=1)
    for function, inputs in [*((f, [x, y]) for f in two), *((np.matmul, list(pair)) for pair in products)]:
        minigrad.gradcheck(function, inputs, rng=rng, directions=1)
    minigrad.gradcheck(np.tanh, [x], rng=rng, order=2, directions=1)
    with minigrad.detect_anomaly():
        (Tensor(x, requires_grad=True) * 2).sum().backward()
    repr(Tensor(x))


@run(B=3, H=7, n=5)
def tour(rng):
    """Chapter 0: its own small engine, derivatives of derivatives."""
    layers = autograd_tour.init((2, 7, 1), rng)
    autograd_tour.train(rng.random((3, 2)), np.ones((3, 1)), layers, 2, 0.1)
    autograd_tour.derivatives(np.tanh, rng.random(5), 2)


@run(N=9, B=3)
def training_loop(rng):
    """Modules, optimisers, the loop, a checkpoint."""
    x = rng.standard_normal((9, 5)).astype(np.float32)
    loss = lambda model, batch, rng: functional.mse_loss(model(Tensor(batch)), batch.sum(axis=1, keepdims=True))
    with tempfile.TemporaryDirectory() as folder:
        for number, make in enumerate((lambda p: optim.SGD(p, 0.1, momentum=0.9), optim.Adam, optim.Adagrad)):
            model = nn.MLP((5, 7, 1), rng=rng, activation="tanh")
            optimizer = make(model)
            schedule = optim.CosineAnnealingLR(optimizer, 6)
            for epochs in (1, 2):  # the second goes on from the file
                training.fit(model, x, x, optimizer=optimizer, epochs=epochs, batch_size=3, rng=rng, loss=loss, schedule=schedule,
                             path=Path(folder) / f"{number}.npz", verbose=False)  # fmt: skip
            optim.clip_grad_norm_(model, 1.0)
        checkpoint.load(Path(folder) / "0.npz")
    nn.xavier_uniform(5, 7, rng)


@run()
def digits(rng):
    """The data."""
    datasets.binarized_mnist()


@run(B=3, D=5, H={7, 11}, K=(1, 2), N=9)
def density(rng):
    """FVSBN, NADE, MADE: one step of training each, what they say of a data set, samples."""
    x = (rng.random((9, 5)) < 0.5).astype(np.uint8)
    models = [
        made.MADE(5, (7, 11), rng=rng, order="random", direct=True, activation="tanh"),
        made.MADE(5, (7,), rng=rng, masks=2),
        made.MADE(5, (7,), rng=rng, masks=2, shuffle="both"),
        fvsbn.FVSBN(5, rng=rng, order="random"),
        nade.NADE(5, 7, rng=rng, order="random"),
        nade.NADE(5, 7, rng=rng, order=np.array([4, 3, 1, 2, 0]), dtype=np.float64),
    ]
    for model in models:
        model.start_from_means(x)
        optimizer = optim.Adam(model)
        model.nll(x[:3]).backward()
        optimizer.step()
        model.evaluate(x, batch_size=3)
        model.sample(13, rng)
        model.load_state_dict(model.state_dict())
        if model is not models[2]:  # its two orders have no conditionals in common
            model.conditionals(x[:3])
    for way in nade_mnist.WAYS.values():
        way(models[-2], models[-2].bits(x[:3]))


@run(D=6, K=4, N=11, G=len(generative_models.GRID))
def ladder(rng):
    """Chapter 1: the two distances, a counting table."""
    generative_models.minimise(generative_models.reverse_kl, steps=1)
    x = (rng.random((11, 6)) < 0.5).astype(np.uint8)
    table = generative_models.CountingTable(2, 3, 4)
    table.count(x)
    table.evaluate(x)
    table.sample(2, rng)


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
    record = episodes.play_fast(env, policy, 7, rng)
    episodes.play(env, policy, 2, rng)
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


@run(S=7, A=2, F=8)
def star(rng):
    """Baird's star: the expected updates that diverge, and those that do not."""
    value_approximation.star_runs(3)


@run(S=25, A=5, K=(1, 3, 4, 6, 9, 10, 16), F={3, 4, 6, 9, 10, 16}, k=2)
def chapter_5(rng):
    """TD-Linear in the book's grid, as the example of chapter 5 runs it."""
    value_approximation.grid_runs(0, 2, 3, 11)


@run(A=3, k=2, T=8, F=(6, 648))
def control(rng):
    """Sarsa and Q-learning: on a grid, and on mountain car under tiles, in Python and by the loops that are compiled elsewhere."""
    for method in ("sarsa", "q_learning"):
        car, tiles = envs.MountainCar(19), features.TileCoding([-1.2, -0.07], [0.6, 0.07])
        for learn in (linear_control.learn, linear_control.learn_fast):
            learn(car, tiles, 2, method=method, alpha=0.1 / 8, rng=rng)
    linear_control.learn(car, features.polynomial(2), 1, alpha=0.1, rng=rng)
    car.render()
    value_approximation.car_runs(0, 2, 3, limit=17)


@run(S=14, A=5, K=1, F=14)
def control_tables(rng):
    """The same over a table."""
    env = envs.GridWorld(MAP, target_terminal=True, max_episode_steps=19)
    for learn in (linear_control.learn, linear_control.learn_fast):
        learn(env, np.eye(14), 2, alpha=0.1, rng=rng)


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
    """DDPG on Pendulum, and the maps of chapter 6."""
    env = envs.Pendulum(3)
    agent = ddpg.DDPG(env, 0, hidden=(7,), batch_size=2, start_steps=3).learn(5)
    env.render(16)
    ddpg_pendulum.maps(agent, 5)
    for space in (env.action_space, env.observation_space, envs.MountainCar().action_space):
        repr(space), space.contains(space.sample()), space.wanted


@run(B=3, H={7, 11}, **{"in": 5, "out": 2})
def perceptron(rng):
    """The multilayer perceptron as one primitive."""
    x = Tensor(rng.standard_normal((3, 5)).astype(np.float32), requires_grad=True)
    network = mlp.MLP((5, 7, 11, 2), rng=rng, small=0.1)
    network(x).sum().backward()
    network.frozen()(x.data)


@run(S=14, A=5, seeds=3, T=6)
def pictures(rng):
    """Figures, drawn and not saved."""
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
    plot.draw_graph((np.exp(t) * 2).sum(), {t: "t"})


def all_of_them(tracer):
    """Run each under a tracer."""
    for function, sizes in RUNS:
        with tracer.watch(function.__name__, **sizes):
            function(np.random.default_rng(0))
