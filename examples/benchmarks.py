r"""How fast, and against what: CPU time per step, every contender in one interleaved run.

The question. What does it cost that this engine is small enough to read? Each row is one job. Its contenders take turns,
so that a busy machine slows all of them alike; a turn of MADE is ten steps, as training is one step after the other, and
not each after a stranger has filled the caches; the first turns warm up and do not count; the figure is the median CPU
time (not the time on the clock), and the ratio is the median over the rounds of ours / theirs: below 1 we are faster.

There is always a floor of NumPy written by hand, with no engine at all. PyTorch and autograd appear if they are
installed: they are never needed. One thread each. PyTorch runs in a process of its own (`benchmark_torch.py`), as its users
run it; one row gives it the same allocator hint that `import minigrad` gives to us.

What to notice. A matrix product costs the same everywhere. What differs is all that stands around it: temporaries,
passes over memory, the optimiser.

The common mistake. To time one contender after the other, on the clock, once.

    python -m examples.benchmarks            about three minutes
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import minigrad
from minigrad import Tensor, optim, plot
from minigrad.datasets import binarized_mnist
from models.made import MADE
from models.nade import NADE

from .command import options, table

TORCH = importlib.util.find_spec("torch") is not None


class Peer:
    """PyTorch in a process of its own, as its users run it: without our allocator hint, unless "hint" is asked for."""

    def __init__(self, job, *flags, **arrays):
        self.folder = tempfile.TemporaryDirectory()
        np.savez(Path(self.folder.name, "arrays.npz"), **arrays)
        command = [sys.executable, "-m", "examples.benchmark_torch", job, str(Path(self.folder.name, "arrays.npz")), *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self):
        """One turn; returns its CPU seconds."""
        print("go", file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self):
        """End the process."""
        self.process.communicate()
        self.folder.cleanup()


# ---- one operation on 32 numbers, forward and backward: a chain of 60 multiplications, additions and tanhs
def chain(x, w, b, tanh):
    """20 times tanh(x w + b)."""
    for _ in range(20):
        x = tanh(x * w + b)
    return x


def tape_contenders(rng):
    """Name -> a function that runs the chain forward and backward 20 times: 1,200 operations."""
    x, w, b, g = rng.standard_normal((4, 32)).astype(np.float32)

    def ours():
        t = Tensor(x, requires_grad=True)
        for _ in range(20):
            chain(t, Tensor(w), Tensor(b), np.tanh).backward(g)

    def floor():
        for _ in range(20):
            y, saved, gy = x, [], g
            for _ in range(20):
                y = np.tanh(y * w + b)
                saved.append(y)
            for y in reversed(saved):
                gy = (gy - gy * y * y) * w

    found = {"ours": ours, "NumPy by hand": floor}
    if TORCH:
        found["PyTorch"] = Peer("tape", x=x, w=w, b=b, g=g)
    if importlib.util.find_spec("autograd"):
        import autograd
        import autograd.numpy as anp

        gradient = autograd.grad(lambda t: anp.sum(chain(t, w, b, anp.tanh) * g))
        found["autograd"] = lambda: [gradient(x) for _ in range(20)]
    return found


# ---- a training step of MADE
def made_by_hand(model, batches):
    """The same step written out in NumPy, with Adam in place over one flat vector."""
    (M1, M2), W1, V1 = model.components[0].masks, model.W[0].data, model.V.data
    sizes, shapes = [W1.size, V1.size, 500, 784], [W1.shape, V1.shape, (500,), (784,)]
    flat = np.concatenate([a.ravel() for a in (W1, V1, model.c[0].data, model.b.data)])
    grad, m, v, scratch = (np.zeros_like(flat) for _ in range(4))
    cut = lambda a: [part.reshape(s) for part, s in zip(np.split(a, np.cumsum(sizes)[:-1]), shapes)]  # noqa: E731
    (W, V, c, b), (dW, dV, dc, db), t = cut(flat), cut(grad), 0
    while True:
        for x in batches:
            t += 1
            x = x.astype(np.float32)
            WM, VM = W * M1, V * M2
            h = np.maximum(x @ WM + c, 0)
            e = 1 / (1 + np.exp(-(h @ VM + b)))
            e -= x
            e /= len(x)
            np.multiply(h.T @ e, M2, out=dV)
            db[...] = e.sum(axis=0)
            a = (e @ VM.T) * (h > 0)
            np.multiply(x.T @ a, M1, out=dW)
            dc[...] = a.sum(axis=0)
            m += np.multiply(np.subtract(grad, m, out=scratch), 0.1, out=scratch)
            v += np.multiply(np.subtract(np.multiply(grad, grad, out=scratch), v, out=scratch), 0.001, out=scratch)
            np.sqrt(v, out=scratch)
            scratch += np.float32(1e-8)
            flat -= np.multiply(np.divide(m, scratch, out=scratch), np.float32(1e-3), out=scratch)
            yield


def steps(model, batches):
    """Training steps of one of our models."""
    adam = optim.Adam(model, lr=1e-3)
    while True:
        for x in batches:
            adam.zero_grad()
            model.nll(x).backward()
            adam.step()
            yield


def made_contenders(rng, batches):
    """Name -> a function that makes one step."""
    model = MADE(784, (500,), rng=rng)
    found = {"ours": steps(model, batches).__next__, "NumPy by hand": made_by_hand(model, batches).__next__}
    if TORCH:
        M1, M2 = model.components[0].masks
        arrays = dict(W=model.W[0].data, V=model.V.data, c=model.c[0].data, b=model.b.data, M1=M1, M2=M2, batches=batches)
        found["PyTorch"] = Peer("made", **arrays)
        found["PyTorch, our allocator hint"] = Peer("made", "hint", **arrays)
        found["PyTorch, fused Adam"] = Peer("made", "fused", **arrays)
        found["PyTorch, torch.compile, fused Adam"] = Peer("made", "fused", "compile", **arrays)
    return found


# ---- a training step of NADE
def nade_by_hand(model, batches):
    """The loop over d in NumPy, every hidden layer stored for the way back, plain SGD."""
    W, V, b, c = (p.data.copy() for p in (model.W, model.V, model.b, model.c))
    while True:
        for x in batches:
            x, a, hs, dV, dW, db = x.astype(np.float32), np.tile(c, (len(x), 1)), [], np.empty_like(V), np.empty_like(W), np.empty_like(b)
            for d in range(784):
                hs.append(1 / (1 + np.exp(-a)))
                a += x[:, d, None] * W[d]
            da = np.zeros_like(a)
            for d in reversed(range(784)):
                h = hs[d]
                g = (1 / (1 + np.exp(-(h @ V[d] + b[d]))) - x[:, d]) / len(x)
                dW[d], dV[d], db[d] = x[:, d] @ da, g @ h, g.sum()
                da += g[:, None] * V[d] * h * (1 - h)
            for p, g in ((W, dW), (V, dV), (b, db), (c, da.sum(axis=0))):
                p -= np.float32(1e-3) * g
            yield


def nade_contenders(rng, batches):
    """Name -> a function that makes one step."""
    model = NADE(784, 500, rng=rng)
    found = {"ours": steps(model, batches).__next__, "NumPy by hand": nade_by_hand(model, batches).__next__}
    if TORCH:
        arrays = dict(W=model.W.data, V=model.V.data, c=model.c.data, b=model.b.data, batches=batches)
        found["PyTorch"] = Peer("nade", **arrays)
    return found


# ---- sampling 100 images from a trained model
def sample_contenders(model, batches, rng):
    """Ours, incremental, against one full pass (or one step of a NumPy loop) for every pixel."""
    training = steps(model, batches)
    for _ in range(20 * len(batches)):
        next(training)

    def full_passes():
        x, u = np.zeros((100, 784), np.uint8), rng.random((100, 784))
        for d in range(784):
            x[:, d] = u[:, d] < model.conditionals(x)[:, d]

    def numpy_loop():
        u, a = rng.random((100, 784)), np.tile(model.c.data, (100, 1))
        for d in range(784):
            h = 1 / (1 + np.exp(-a))
            a += (u[:, d] < 1 / (1 + np.exp(-(h @ model.V.data[d] + model.b.data[d]))))[:, None] * model.W.data[d]

    other = {"NumPy loop": numpy_loop} if isinstance(model, NADE) else {"784 full passes": full_passes}
    if TORCH and isinstance(model, NADE):
        other["PyTorch"] = Peer("nade_sample", W=model.W.data, V=model.V.data, c=model.c.data, b=model.b.data)
    return {"ours": lambda: model.sample(100, rng), **other}


def race(contenders, rounds, warm_up=2, steps=1):
    """Name -> CPU seconds of each round, all contenders taking turns of so many steps (the seconds are those of one)."""
    seconds = {name: [] for name in contenders}
    for turn in range(warm_up + rounds):
        for name, step in contenders.items():
            spent = 0
            for _ in range(steps):
                start = time.process_time()
                theirs = step()
                spent += theirs if isinstance(step, Peer) else time.process_time() - start
            if turn >= warm_up:
                seconds[name].append(spent / steps)
    for step in contenders.values():
        if isinstance(step, Peer):
            step.close()
    return seconds


def import_time(rounds):
    """CPU seconds that `import minigrad` takes in a fresh process, and whether numba came along."""
    code = "import time; t = time.process_time(); import minigrad, sys; print(time.process_time() - t, 'numba' in sys.modules)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() for _ in range(rounds)]
    return float(np.median([float(seconds) for seconds, _ in runs])), runs[0][1]


def report(job, seconds, scale, unit):
    """Print one job's table; returns (job, name, ratio) rows for the figure."""
    rows, ratios = [], []
    for name, theirs in seconds.items():
        ratio = float(np.median(np.array(seconds["ours"]) / np.array(theirs)))
        rows.append([name, float(np.median(theirs)) * scale, f"{ratio:.3g}"])
        ratios += [(job, name, ratio)] if name != "ours" else []
    print(f"\n{job}")
    table(["contender", f"CPU {unit}", "ours / theirs"], rows)
    return ratios


def draw(ratios, path):
    """All ratios, on a logarithmic scale."""
    figure = Figure((9, 0.32 * len(ratios) + 1.2), layout="constrained")
    ax = figure.add_subplot()
    ax.barh([f"{job.split(',')[0]}: {name}" for job, name, _ in ratios][::-1], [r for *_, r in ratios][::-1], color=plot.BLUE)
    ax.axvline(1, color=plot.ORANGE, linestyle="--", linewidth=1)
    for i, (*_, ratio) in enumerate(ratios[::-1]):
        ax.text(ratio * 1.05, i, f"{ratio:.3g}", va="center", fontsize=8)
    ax.set(xscale="log", xlabel="CPU time, ours / theirs", xlim=(0.001, 10))
    ax.spines[["top", "right"]].set_visible(False)
    return plot.save(ax, path)


def main():
    """Run all races."""
    chosen = options(__doc__)
    rng = np.random.default_rng(chosen.seed)
    rounds = 7 if chosen.quick else 21
    data = binarized_mnist().train
    batches = [data[i : i + 128] for i in range(0, 128 * 20, 128)]
    print(f"minigrad {minigrad.__version__}, NumPy {np.__version__}, " + ("" if TORCH else "no PyTorch, ")
          + f"{os.environ['OMP_NUM_THREADS']} thread, median of {rounds} rounds, "
          f"{100 * np.concatenate(batches).mean():.1f} % of the pixels on")  # fmt: skip
    ratios = report("tape, one operation on 32 numbers", race(tape_contenders(rng), rounds), 1e6 / 1200, "us")
    ratios += report("MADE step, 784-500-784, batch 128, Adam", race(made_contenders(rng, batches), rounds, steps=10), 1e3, "ms")
    ratios += report("NADE step, D 784, H 500, batch 128", race(nade_contenders(rng, batches), 7), 1e3, "ms")
    for model in (MADE(784, (500,), rng=rng), NADE(784, 500, rng=rng)):
        contenders = sample_contenders(model, batches, rng)
        job = f"{type(model).__name__}, 100 samples ({100 * model.sample(100, rng).mean():.1f} % on)"
        ratios += report(job, race(contenders, 7, warm_up=1), 1e3, "ms")
    seconds, numba = import_time(7)
    print(f"\nimport minigrad: {seconds:.3f} CPU s, numba loaded: {numba}")
    print(draw(ratios, chosen.out / "benchmarks.png"))


if __name__ == "__main__":
    main()
