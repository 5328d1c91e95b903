r"""The capstone: MADE and DDPG, trained on all of the learner's functions at once.

Every file that passes its check is grafted, all of them together, and the library's own training runs on them; beside it
the same with the library's functions, at the same seed.

    python -m examples.homework capstone        about a minute
"""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..command import table
from . import graft
from .catalogue import EXERCISES
from .check import check, child_environment
from .files import file_of


def figures():
    """What is reached: {name: (number, unit)}. A small MADE after two epochs, a DDPG agent after 10,000 steps."""
    import numpy as np

    from minigrad import optim, training
    from minigrad.datasets import binarized_mnist
    from models.made import MADE
    from rl.ddpg import DDPG
    from rl.envs import Pendulum
    from rl.evaluate import evaluate

    rng, data = np.random.default_rng(0), binarized_mnist()
    model = MADE(784, (200,), rng=rng, activation="tanh")
    model.start_from_means(data.train)
    optimizer = optim.SGD(model, lr=0.1, momentum=0.9, nesterov=True)
    training.fit(model, data.train[:10_000], data.valid[:1000], optimizer=optimizer, epochs=2, batch_size=100, rng=rng)
    nll = model.evaluate(data.test[:2000]).nll
    agent = DDPG(Pendulum(), 0, hidden=(64, 64)).learn(10_000)
    returns = evaluate(agent, Pendulum(), 100, seed=0)
    return {"MADE, NLL (nats)": float(nll), "DDPG, Pendulum's return": float(np.mean(returns))}


def train(answers):
    """`figures` in a child process with answers [(target, path)]; (figures, "") or (None, what went wrong)."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "figures.json")
        command = [sys.executable, "-m", "examples.homework.capstone", str(result), *[f"{target}={path}" for target, path in answers]]
        env = child_environment("".join(f"{path}{Path(path).read_text(encoding='utf-8')}" for _, path in answers).encode(), True)
        try:
            run = subprocess.run(command, env=env, timeout=300, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        except subprocess.TimeoutExpired:
            return None, "not trained within 300 s"
        if not result.exists():
            return None, (run.stderr.strip().splitlines() or ["the process ended without a word"])[-1]
        return json.loads(result.read_text(encoding="utf-8")), ""


def capstone(chosen):
    """The command; returns 0 if every function of the library that is an exercise is the learner's."""
    targets = {exercise.target for exercise in EXERCISES.values() if not exercise.answer}
    started = [(e, p) for e in EXERCISES.values() if not e.answer and (p := file_of(chosen.dir, e).resolve()).exists()]
    with ThreadPoolExecutor(chosen.jobs) as pool:
        print(f"checking {len(started)} files ...", flush=True)
        verdicts = list(pool.map(lambda pair: check(*pair), started))
        mine = {e.target: path for (e, path), verdict in reversed(list(zip(started, verdicts))) if verdict.passed}
        for (exercise, _), verdict in zip(started, verdicts):
            if not verdict.passed:
                print(f"left out: {exercise.id}: {verdict.text.splitlines()[0]}")
        print(f"your library: {len(mine)} of {len(targets)} functions are yours. Training with them, and without ...", flush=True)
        (yours, wrong), (ours, _) = pool.map(train, ([*mine.items()], []))
    if yours is None:
        print(f"your functions pass one by one, but together: {wrong}")
        return 1
    table(["figure", "yours", "the library's"], [[name, yours[name], ours[name]] for name in ours])
    return 0 if len(mine) == len(targets) else 1


def main():
    """The child: python -m examples.homework.capstone RESULT [TARGET=PATH ...]"""
    result, *pairs = sys.argv[1:]
    pairs = [pair.split("=", 1) for pair in pairs]
    if pairs:
        graft.install(*[(target, Path(path).read_text(encoding="utf-8-sig"), path) for target, path in pairs])
    Path(result).write_text(json.dumps(figures()), encoding="utf-8")


if __name__ == "__main__":
    main()
