"""The chapter's claims, and the run itself."""

import os
import subprocess
import sys

import numpy as np

from examples import grid_world as chapter
from rl.dynamic_programming import optimal_actions, policy_iteration
from rl.mdp import soften, soften_mdp


def test_what_gamma_and_the_price_decide():
    rows = {(row[0], row[1]): row[2:] for row in chapter.choices()}
    assert rows["0.9", "-1"] == ["5.8320", "5", "1", "25", "31"]  # straight through
    assert rows["0.9", "-10"] == ["3.4868", "11", "0", "25", "27"]  # round by the right
    assert rows["0.5", "-1"] == ["0.0020", "11", "0", "25", "27"]
    assert rows["0.0", "-1"][1] == "never"


def test_three_ways_by_rounds_and_by_work():
    runs = chapter.contenders(chapter.HARSH.mdp())
    rounds = {name: int(np.argmax(errors < 1e-6)) for name, (_, errors, _) in runs.items()}
    work = {name: int(spent[rounds[name]]) for name, (_, _, spent) in runs.items()}
    assert rounds["value iteration"] > rounds["truncated, j = 3"] > rounds["truncated, j = 9"] > rounds["truncated, j = 56"]
    assert work["value iteration"] > work["truncated, j = 3"] > work["truncated, j = 9"] < work["truncated, j = 56"]
    assert min(work, key=work.get) == "policy iteration"
    for solution, errors, spent in runs.values():
        assert errors[-1] < 1e-8 and len(errors) == len(spent) and (np.diff(spent) > 0).all()
        np.testing.assert_allclose(solution.values, runs["policy iteration"][0].values, atol=1e-12)


def test_a_round_of_truncated_policy_iteration_costs_what_is_counted():
    mdp = chapter.HARSH.mdp()  # 25 states, 5 actions: a max costs 3,125 multiplications, a sweep for one policy 625
    _, errors, spent = chapter.contenders(mdp)["truncated, j = 9"]
    assert spent[1] == 3125 + 8 * 625
    _, vi_errors, vi_spent = chapter.contenders(mdp)["value iteration"]
    assert vi_spent[1] == 3125 and np.allclose([errors[0], vi_errors[0]], 10)  # from v_0 = 0 the target is wrong by 10


def test_the_best_policy_with_noise():
    rows = {row[0]: row[1:] for row in chapter.epsilon_rows()}
    assert [rows[e][-1] for e in ("0.0", "0.1", "0.5")] == ["stay", "stay", "down"]
    for epsilon, (consistent, best, _, share, _) in rows.items():
        assert best >= consistent - 1e-12
        assert share == ("0%" if float(epsilon) >= 0.2 else f"{1 - float(epsilon):.0%}")


def test_the_wanderer_leaves_the_target_and_ends_in_a_corner():
    for seed in range(5):
        flees = policy_iteration(soften_mdp(chapter.HARSHER.mdp(), 0.5), 0.9)
        states = chapter.wander(soften(flees.policy, 0.5), 400, np.random.default_rng(seed))
        assert states[0] == chapter.TARGET and chapter.TARGET not in states[100:]
        corners = np.isin(states[100:], [0, 4, 10, 24])  # where the last map says stay
        assert corners.mean() > 0.4


def test_ties_share_an_arrow():
    mdp = chapter.MILD.mdp()
    best = optimal_actions(mdp, policy_iteration(mdp, 0.9).values, 0.9)
    policy = chapter.shared(best)
    np.testing.assert_allclose(policy.sum(axis=1), 1)
    assert ((policy > 0) == best).all() and set(np.unique(policy)) == {0, 0.5, 1}


def test_run(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252:strict"}
    command = [sys.executable, "-m", "examples.grid_world", "--quick", "--out", str(tmp_path)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="cp1252", check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.isascii()
    assert " 3.5   3.9   4.3   4.8   5.3" in ran.stdout and ">   >   >   >v  v" in ran.stdout
    assert "the same best actions: True" in ran.stdout and "0.2288 = .9^14 after 15" in ran.stdout
    assert (tmp_path / "grid_world.png").read_bytes().startswith(b"\x89PNG")
