r"""How good is DDPG on Pendulum, honestly? Ten seeds, a thousand fixed starts each, no noise, no picking of checkpoints.

The question. One run of one seed, scored on ten episodes at its best moment, can be made to say anything. What does the
method reach, if nothing is picked?

The rule, fixed beforehand. Seeds 0 to 9 with the settings of `ddpg_pendulum`, which were chosen by the runs of seeds 100
to 109. Each agent is the one after 20,000 steps. Its score is the mean return over the 1,000 starts of the seeds
30,000 ... 30,999. Over the ten scores: the interquartile mean and its 95 % bootstrap interval (Agarwal et al. 2021).

Beside it stand what dynamic programming gets on the same starts (`python -m examples.pendulum_optimum`), and −152.1, published
for as many steps (RL Baselines3 Zoo: one run, starts of its own). If gymnasium is installed, each agent is scored on its
Pendulum-v1 too, from the same starts. `--seed` moves the bootstrap only: the seeds are fixed by the rule.

The common mistake. To report the best seed, or the best checkpoint by the same episodes that choose it.

    python -m examples.ddpg_evaluation       about four minutes; each seed is saved to figures/ddpg_evaluation.json
"""

import importlib.util
import json
import time
from pathlib import Path

import numpy as np

from minigrad.kernels import CACHE
from rl.ddpg import DDPG
from rl.envs import Pendulum
from rl.evaluate import bootstrap_interval, evaluate, interquartile_mean

from .command import options, table
from .ddpg_pendulum import SETTINGS, STEPS

FIRST_START = 30_000
OPTIMUM, PUBLISHED = -132.9, -152.1  # the first by python -m examples.pendulum_optimum, on these starts; the second on its own


def run(seed, steps, episodes):
    """Train one agent and score it: a row of plain numbers."""
    began = time.process_time()
    agent = DDPG(Pendulum(), seed, **SETTINGS).learn(steps)
    trained = time.process_time() - began
    returns = evaluate(agent, Pendulum(), episodes, FIRST_START)
    row = {"seed": seed, "mean": returns.mean(), "sd": returns.std(), "worst": returns.min(), "seconds": trained, "gymnasium": None}
    if importlib.util.find_spec("gymnasium"):
        import gymnasium

        theirs = evaluate(agent, gymnasium.make("Pendulum-v1"), episodes, FIRST_START)
        row |= {"gymnasium": theirs.mean(), "difference": np.abs(theirs - returns).max()}
    return {name: value if value is None else float(value) for name, value in row.items()}


def main():
    """Run what is not yet in the file, print the table."""
    chosen = options(__doc__)
    seeds, steps, episodes = (range(2), 1_500, 5) if chosen.quick else (range(10), STEPS, 1_000)
    sources = Path(CACHE).name  # the hash of all our code: scores of another version are not mixed in
    header = json.loads(json.dumps({"settings": SETTINGS, "steps": steps, "episodes": episodes, "sources": sources}))
    path = chosen.out / f"ddpg_evaluation{'_quick' * chosen.quick}.json"
    done = json.loads(path.read_text()) if path.exists() else {}
    if done.get("header") != header:
        done = {"header": header, "rows": []}  # another experiment: begin anew
    for seed in seeds:
        if seed not in [row["seed"] for row in done["rows"]]:
            done["rows"].append(run(seed, steps, episodes))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(done, indent=1))
            print(f"seed {seed}: {done['rows'][-1]['mean']:.1f}", flush=True)
    rows = sorted(done["rows"], key=lambda row: row["seed"])
    names = ["mean", "sd", "worst", "seconds"] + (["gymnasium", "difference"] if rows[0]["gymnasium"] is not None else [])
    cell = lambda row, name: f"{row[name]:.2e}" if name == "difference" else row[name]  # noqa: E731
    table(["seed", *names], [[f"{row['seed']:.0f}", *[cell(row, name) for name in names]] for row in rows])
    scores = [row["mean"] for row in rows]
    low, high = bootstrap_interval(scores, np.random.default_rng(chosen.seed))
    print(f"\ninterquartile mean {interquartile_mean(scores):.1f} ({low:.1f} to {high:.1f}), worst seed {min(scores):.1f}; "
          f"dynamic programming {OPTIMUM}, published {PUBLISHED}")  # fmt: skip


if __name__ == "__main__":
    main()
