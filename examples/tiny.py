r"""Tiny runs that go through the whole library in a second or two of plain Python: what `examples.read` watches.

All sizes differ (batch 3, 5 variables, layers of 7 and 4, ...), so that no shape is right by coincidence.
"""

import numpy as np

import minigrad
from minigrad import Tensor, datasets, nn, optim, training
from minigrad.gradcheck import gradcheck
from minigrad.functional import binary_cross_entropy_with_logits, cross_entropy, layer_norm, linear, logsumexp, silu, softmax
from models.fvsbn import FVSBN
from models.made import MADE
from models.nade import NADE
from rl import dynamic_programming, linear_control, linear_value, mdp, plot
from rl.ddpg import DDPG
from rl.envs import LQR, GridWorld, MountainCar, Pendulum, RandomWalk
from rl.episodes import play, play_fast
from rl.evaluate import bootstrap_interval, evaluate
from rl.features import TileCoding, aggregation, fourier, one_hot, polynomial, rows
from rl.noise import OrnsteinUhlenbeck

B, D = 3, 5
MAP = "S.#\n..G"


def engine():
    """Operations, layers, optimisers, a training loop, the packaged digits."""
    rng = np.random.default_rng(0)
    x = Tensor(rng.standard_normal((B, D)), requires_grad=True)
    W, b = Tensor(rng.standard_normal((D, 7)), requires_grad=True), Tensor(np.zeros(7), requires_grad=True)
    y = np.maximum(np.tanh(x @ W + b), 0.1) * np.exp(-((x @ W) ** 2)) / np.sqrt(2.0 + silu(x @ W) ** 2)
    loss = (logsumexp(y) + np.max(softmax(y), axis=1) + np.cumsum(y, axis=1).mean(axis=1) + layer_norm(y, 7).sum(axis=1)).sum()
    (first,) = minigrad.grad(loss, x, create_graph=True)
    minigrad.grad((first * first).sum(), x)
    v, A = Tensor(rng.standard_normal(D), requires_grad=True), Tensor(rng.standard_normal((2, 4, D)), requires_grad=True)
    (A @ v).sum().backward()
    (Tensor(rng.standard_normal(4), requires_grad=True) @ A).sum().backward()
    (v @ v).backward()
    (linear(x, W.T, b)[1:, [0, 2]] * np.stack([x[0, :2], x[1, :2]])).sum().backward()
    gradcheck(np.tanh, [np.array([0.3, -0.5])], rng=rng)
    for choice in (optim.SGD, optim.Adam, optim.Adagrad):
        model = nn.MLP((D, 7, 4), rng=rng)
        optimizer = choice(model, lr=0.01)
        cross_entropy(model(Tensor(rng.standard_normal((B, D)).astype(np.float32))), np.array([0, 3, 1])).backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    binary_cross_entropy_with_logits(x, np.ones((B, D))).backward()
    datasets.binarized_mnist()


def bits(n=B, dim=D):
    """Random bits (n, dim)."""
    return np.random.default_rng(1).integers(0, 2, (n, dim)).astype(np.uint8)


def density_models():
    """Training, densities, conditionals and samples of each model."""
    rng, x = np.random.default_rng(0), bits()
    models = [FVSBN(D, rng=rng, order="random"), NADE(D, 7, rng=rng, order="random"), MADE(D, (7, 4), rng=rng, direct=True, order="random"),
              MADE(D, (7,), rng=rng, masks=2, shuffle="both"), MADE(D, (7,), rng=rng, masks=2), NADE(D, 7, rng=rng, dtype=np.float64)]  # fmt: skip
    for model in models:
        model.start_from_means(bits(11))
        model.nll(x).backward()
        model.evaluate(bits(11), batch_size=B)
        model.sample(2, rng)
        if not isinstance(model, MADE) or all((c.order == model.order).all() for c in model.components):
            model.conditionals(x)
    training.fit(models[0], bits(6), bits(4), optimizer=optim.SGD(models[0], lr=0.1), epochs=1, batch_size=B, rng=rng, verbose=False)


def tables():
    """A grid world: values, policies, features, prediction and control."""
    rng, env, walk = np.random.default_rng(0), GridWorld(MAP, target_terminal=True, max_episode_steps=30), RandomWalk(7, 2, max_episode_steps=30)
    grid = env.mdp()
    for solve in (dynamic_programming.value_iteration, dynamic_programming.policy_iteration):
        solution = solve(grid, 0.9)
    dynamic_programming.truncated_policy_iteration(grid, 0.9, 2)
    dynamic_programming.policy_iteration(grid, 1.0)
    policy = mdp.soften(solution.policy, 0.2)
    env.policy_text(policy), env.values_text(solution.values)
    plot.grid_policy(env, policy)
    mdp.state_values(grid, policy, 0.9), mdp.state_values_by_iteration(grid, policy, 0.9), mdp.soften_mdp(grid, 0.1)
    dynamic_programming.greedy_policy(grid, solution.values, 0.9)
    uniform = np.ones((9, 1))
    points = np.linspace(-1, 1, 9)[:, None]
    for Phi in (polynomial(2)(points), fourier(3)(points), aggregation(9, 3)(np.arange(9)), one_hot(9)(np.arange(9))):
        record = play_fast(walk, uniform, 4, rng)
        for learn in (linear_value.td, linear_value.gradient_monte_carlo):
            learn(np.zeros(Phi.shape[1]), rows(Phi), record, 0.1, 1.0)
        linear_value.lstd(Phi, record, 0.9), linear_value.recursive_lstd(Phi, record, 0.9)
    play(walk, uniform, 2, rng)
    d = linear_value.on_policy_distribution(walk.mdp(), uniform, walk.start)
    A, b = linear_value.td_system(walk.mdp(), uniform, 1.0, Phi, d)
    linear_value.td_fixed_point(walk.mdp(), uniform, 0.9, Phi, d)
    linear_value.expected_updates(A, b, np.zeros(9), 0.1, 3)
    ring = mdp.MDP(np.roll(np.eye(4), 1, axis=1)[:, None, :] * np.ones((1, 2, 1)), np.ones((4, 2)))
    mdp.stationary_distribution(ring, mdp.uniform_policy(ring))
    for method in ("sarsa", "q_learning"):
        linear_control.learn(env, one_hot(6)(np.arange(6)), 2, method=method, alpha=0.1, gamma=0.9, rng=rng)
        linear_control.learn_fast(env, one_hot(6)(np.arange(6)), 2, method=method, alpha=0.1, gamma=0.9, rng=rng)
    car = MountainCar(max_episode_steps=20)
    linear_control.learn(car, TileCoding(car.observation_space.low, car.observation_space.high, 3, 2), 1, alpha=0.1, rng=rng)


def control():
    """DDPG for a few steps, in two worlds."""
    agent = DDPG(Pendulum(max_episode_steps=9), 0, hidden=(7, 4), batch_size=5, start_steps=6, capacity=20, noise=OrnsteinUhlenbeck()).learn(12)
    returns = evaluate(agent, Pendulum(max_episode_steps=9), 2, seed=0)
    bootstrap_interval(returns, np.random.default_rng(0), draws=3)
    world = LQR()
    world.reset(seed=0)
    world.riccati(0.9)


RUNS = (engine, density_models, tables, control)
