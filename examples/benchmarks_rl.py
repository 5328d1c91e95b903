r"""How fast is the reinforcement learning? CPU time, every contender in one interleaved run, as in `benchmarks`.

The question. An update of DDPG with 64 units is 28 small matrix products and some 200 steps around them. How much of it
is arithmetic, and how much is the engine? And what does a compiled loop over a whole episode give, where an agent is
only a dot product?

The rows. *DDPG update*: critic, actor, two Adams, two targets, on the same batch, by our engine, by PyTorch (in a process
of its own) and by hand in NumPy: the floor. *20,000 steps* of Pendulum: world, buffer and update together. *Compiled
loops*: steps per second of TD-Linear and of Q-learning on the 5 x 5 grid, and of Sarsa on mountain car with 8 tilings.

What to notice. With 256 units nearly all that counts is the matrix products: ours is at the floor, PyTorch at about twice
it. With 64 it is the number of calls.

The common mistake. To measure the first call of a compiled loop: that is the compiler's time.

    python -m examples.benchmarks_rl         about three minutes
"""

import os
import time

import numpy as np

import minigrad
from minigrad import Tensor, nn
from minigrad.kernels import adam
from models.mlp import MLP, layers
from rl import temporal_difference
from rl.ddpg import DDPG
from rl.envs import GridWorld, MountainCar, Pendulum
from rl.episodes import play_fast
from rl.features import TileCoding, polynomial, rows
from rl.linear_control import learn_fast
from rl.linear_value import td
from rl.mdp import uniform_policy
from rl.monte_carlo import mc_epsilon_greedy

from .benchmarks import TORCH, Peer, draw, race, report
from .command import options, table


class ByHand:
    """A network of DDPG written out in NumPy, with no engine: forward, backward, Adam."""

    def __init__(self, network):
        self.theta, self.sizes, self.t = network.theta.data.copy(), network.sizes, 0
        self.grad, self.m, self.v = (np.zeros_like(self.theta) for _ in range(3))
        self.weights, self.grads = layers(self.theta, self.sizes), layers(self.grad, self.sizes)

    def forward(self, x):
        """(B, in) -> (B, out), and the input of each layer"""
        h = [x]
        for W, b in self.weights:
            y = h[-1] @ W.T
            y += b
            h.append(np.maximum(y, 0, out=y) if len(h) < len(self.weights) else y)
        return h.pop(), h

    def backward(self, g, h, to_weights=True):
        """The gradient of the weights into self.grad, or that of the input"""
        for (W, _), (dW, db), x in zip(self.weights[::-1], self.grads[::-1], h[::-1]):
            if to_weights:
                np.matmul(g.T, x, out=dW)
                g.sum(axis=0, out=db)
            if x is not h[0] or not to_weights:
                g = g @ W
            if x is not h[0]:
                g *= x > 0
        return g

    def step(self):
        """Adam"""
        self.t += 1
        correction1, correction2 = 1 - 0.9**self.t, (1 - 0.999**self.t) ** 0.5
        numbers = 1e-3 * correction2 / correction1, 0.9, 0.999, 1e-8 * correction2
        adam(self.theta, self.grad, self.m, self.v, *map(np.float32, numbers))


def ddpg_by_hand(agent, batch):
    """Updates, 20 a turn."""
    actor, critic, target_actor, target_critic = (ByHand(n) for n in (agent.actor, agent.critic, agent.actor, agent.critic))
    s, a, r, s2, terminated = batch
    while True:
        for _ in range(20):
            next_q, _ = target_critic.forward(np.concatenate([s2, np.tanh(target_actor.forward(s2)[0])], axis=1))
            y = r + np.float32(0.99) * (1 - terminated) * next_q[:, 0]
            q, h = critic.forward(np.concatenate([s, a], axis=1))
            critic.backward((q - y[:, None]) * np.float32(2 / len(y)), h)
            critic.step()
            mu, h = actor.forward(s)
            np.tanh(mu, out=mu)
            _, pairs = critic.forward(np.concatenate([s, mu], axis=1))
            slope = critic.backward(np.full((len(s), 1), -1 / len(s), np.float32), pairs, to_weights=False)
            actor.backward(slope[:, s.shape[1] :] * (1 - mu * mu), h)
            actor.step()
            for online, target in ((actor, target_actor), (critic, target_critic)):
                target.theta *= np.float32(0.995)
                target.theta += np.float32(0.005) * online.theta
        yield


def update_contenders(hidden, batch_size):
    """Name -> a function that makes 20 updates."""
    agent = DDPG(Pendulum(), 0, hidden=(hidden, hidden), batch_size=batch_size).learn(1000)
    batch = agent.replay.sample(batch_size, agent.draws)
    found = {"ours": lambda: [agent.update(batch) for _ in range(20)], "NumPy by hand": ddpg_by_hand(agent, batch).__next__}
    if TORCH:
        arrays = batch._asdict() | {"hidden": np.array(hidden)}
        found["PyTorch"] = Peer("ddpg", **arrays)
        found["PyTorch, our allocator hint"] = Peer("ddpg", "hint", **arrays)
        found["PyTorch, fused Adam"] = Peer("ddpg", "fused", **arrays)
    return found


def timed(work):
    """(result, CPU seconds): the median of five calls, after two that compile and make room."""
    seconds = []
    for _ in range(7):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return result, float(np.median(seconds[2:]))


def networks():
    """Rows (network, us): forward and backward on 64 examples, as a graph of operations and as one node."""
    x, found = Tensor(np.ones((64, 3), np.float32)), []
    for kind in (nn.MLP, MLP):
        network = kind((3, 64, 64, 1), rng=np.random.default_rng(0))
        _, seconds = timed(lambda: [network(x).mean().backward() for _ in range(200)])
        found.append([f"{kind.__module__}.MLP", 1e6 / 200 * seconds])
    return found


def compiled_loops(steps):
    """Rows (job, steps, CPU s, million steps a second): linear methods in compiled loops."""
    env, tiles = GridWorld(max_episode_steps=500), TileCoding((-1.2, -0.07), (0.5, 0.07))
    Phi, uniform = polynomial(3)(env.coordinates(-1, 1)), uniform_policy(env.mdp())

    def learn_by_td(Phi, rng):
        return len(td(np.zeros(Phi.shape[1]), rows(Phi), play_fast(env, uniform, steps // 500, rng), 5e-4, 0.9)) * 500

    jobs = {
        "play the uniform policy on the 5 x 5 grid": lambda rng: play_fast(env, uniform, steps // 500, rng).reward.size,
        "play, and TD-Linear with a table": lambda rng: learn_by_td(np.eye(25), rng),
        "play, and TD-Linear with 10 features": lambda rng: learn_by_td(Phi, rng),
        "Monte Carlo, one episode": lambda rng: len(mc_epsilon_greedy(
            GridWorld(max_episode_steps=steps), 0.9, 1, epsilon=0.5, rng=rng)) and steps,
        "Q-learning on the grid, a table": lambda rng: temporal_difference.learn_fast(
            env, steps // 500, method="q_learning", alpha=0.1, gamma=0.9, rng=rng).lengths.sum(),
        "the same as linear features": lambda rng: learn_fast(
            env, np.eye(25), steps // 500, method="q_learning", alpha=0.1, gamma=0.9, rng=rng).lengths.sum(),
        "Sarsa on mountain car, 8 tilings": lambda rng: learn_fast(
            MountainCar(None), tiles, steps // 200, alpha=0.5 / 8, epsilon=0.0, rng=rng).lengths.sum(),
    }  # fmt: skip
    found = []
    for name, job in jobs.items():
        n, seconds = timed(lambda: job(np.random.default_rng(0)))
        found.append([name, int(n), f"{seconds:.4f}", n / seconds / 1e6])
    return found


def pendulum_steps(steps):
    """CPU seconds of so many steps of DDPG on Pendulum, after a warm-up of another agent."""
    DDPG(Pendulum(), 1).learn(1_100)
    agent, start = DDPG(Pendulum(), 0), time.process_time()
    agent.learn(steps)
    return time.process_time() - start


def main():
    """Run all races."""
    chosen = options(__doc__)
    rounds = 7 if chosen.quick else 41
    print(f"minigrad {minigrad.__version__}, NumPy {np.__version__}, {'' if TORCH else 'no PyTorch, '}"
          f"{os.environ['OMP_NUM_THREADS']} thread, median of {rounds} rounds of 20 updates")  # fmt: skip
    ratios = []
    for hidden, batch_size in ((64, 64), (256, 128)):
        job = f"DDPG update {hidden} x {hidden}, batch {batch_size}"
        ratios += report(job, race(update_contenders(hidden, batch_size), rounds), 1e3 / 20, "ms")
    steps = 2_000 if chosen.quick else 20_000
    print()
    table(["job", "CPU s"], [[f"{steps:,} steps of Pendulum with an update each, 64 x 64, batch 64", pendulum_steps(steps)]])
    print()
    table(["network 3-64-64-1, forward and backward", "CPU us"], networks())
    print()
    table(["compiled loop", "steps", "CPU s", "million steps/s"], compiled_loops(100_000 if chosen.quick else 1_000_000))
    print(draw(ratios, chosen.out / "benchmarks_rl.png"))


if __name__ == "__main__":
    main()
