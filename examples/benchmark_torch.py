r"""PyTorch's side of `benchmarks`: one contender in a process of its own, which makes one turn for every line it reads.

    python -m examples.benchmark_torch tape | made | nade | nade_sample | ddpg  ARRAYS.npz  [fused] [compile] [hint]

It must not import minigrad, whose allocator hint would change what is measured ("hint" asks for it).
"""

import copy
import sys
import time

import numpy as np

try:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits
except ImportError:  # never needed
    torch = None


def tape(x, w, b, g):
    """20 times the chain of 60 operations, forward and backward."""
    x.requires_grad_()
    while True:
        for _ in range(20):
            y = x
            for _ in range(20):
                y = torch.tanh(y * w + b)
            y.backward(g)
        yield


def training(parameters, loss, batches, flags):
    """Steps of Adam, as it comes, or fused."""
    for p in parameters:
        p.requires_grad_()
    adam = torch.optim.Adam(parameters, lr=1e-3, **({"fused": True} if "fused" in flags else {}))
    loss = torch.compile(loss) if "compile" in flags else loss
    while True:
        for x in batches.numpy():
            adam.zero_grad()
            loss(torch.tensor(x.astype(np.float32))).backward()
            adam.step()
            yield


def made(W, V, c, b, M1, M2, batches, flags):
    """A training step of MADE, its masks applied in the forward pass."""

    def loss(x):
        logits = torch.relu(x @ (W * M1) + c) @ (V * M2) + b
        return binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)

    return training([W, V, c, b], loss, batches, flags)


def nade(W, V, c, b, batches, flags):
    """A training step of NADE by the best loop over d that we know: rows taken once by unbind, sums by addr."""

    def loss(x):
        a, logits = c.expand(len(x), -1), []
        for x_d, W_d, V_d in zip(x.unbind(1), W.unbind(0), V.unbind(0)):
            logits.append(torch.sigmoid(a) @ V_d)
            a = torch.addr(a, x_d, W_d)
        return binary_cross_entropy_with_logits(torch.stack(logits, 1) + b, x, reduction="sum") / len(x)

    return training([W, V, c, b], loss, batches, flags)


def nade_sample(W, V, c, b, flags):
    """100 images by the loop over d, all of them together."""
    while True:
        with torch.no_grad():
            a, x = c.expand(100, -1), []
            for W_d, V_d, b_d, u_d in zip(W.unbind(0), V.unbind(0), b.unbind(0), torch.rand(100, len(W)).unbind(1)):
                x.append((u_d < torch.sigmoid(torch.sigmoid(a) @ V_d + b_d)).float())
                a = torch.addr(a, x[-1], W_d)
            torch.stack(x, 1)
        yield


def ddpg(observation, action, reward, next_observation, terminated, hidden, flags):
    """Updates of DDPG in the style of CleanRL: critic, actor, Adam for each, both targets."""
    n, m, H = observation.shape[1], action.shape[1], int(hidden)
    relu, Linear = torch.nn.ReLU, torch.nn.Linear
    actor = torch.nn.Sequential(Linear(n, H), relu(), Linear(H, H), relu(), Linear(H, m), torch.nn.Tanh())
    critic = torch.nn.Sequential(Linear(n + m, H), relu(), Linear(H, H), relu(), Linear(H, 1))
    target_actor, target_critic = copy.deepcopy((actor, critic))
    fused = {"fused": True} if "fused" in flags else {}
    actor_optimizer, critic_optimizer = (torch.optim.Adam(net.parameters(), lr=1e-3, **fused) for net in (actor, critic))
    while True:
        for _ in range(20):  # a turn, as one update is too short to time
            with torch.no_grad():
                next_q = target_critic(torch.cat([next_observation, target_actor(next_observation)], 1)).view(-1)
                y = reward + 0.99 * (1 - terminated) * next_q
            loss = torch.nn.functional.mse_loss(critic(torch.cat([observation, action], 1)).view(-1), y)
            critic_optimizer.zero_grad()
            loss.backward()
            critic_optimizer.step()
            loss = -critic(torch.cat([observation, actor(observation)], 1)).mean()
            actor_optimizer.zero_grad()
            loss.backward()
            actor_optimizer.step()
            for online, target in ((actor, target_actor), (critic, target_critic)):
                for p, p_target in zip(online.parameters(), target.parameters()):
                    p_target.data.copy_(0.005 * p.data + 0.995 * p_target.data)
        yield


def main(job, file, *flags):
    """Serve turns until the input ends."""
    if "hint" in flags:
        np.empty(31 * 2**20, np.uint8)  # as in minigrad/__init__.py
    torch.set_num_threads(1)
    arrays = {name: torch.tensor(a) for name, a in np.load(file).items()}
    run = tape(**arrays) if job == "tape" else {"made": made, "nade": nade, "nade_sample": nade_sample, "ddpg": ddpg}[job](**arrays, flags=flags)
    for _ in sys.stdin:
        start = time.process_time()
        next(run)
        print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
