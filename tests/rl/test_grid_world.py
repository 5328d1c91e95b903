"""The grid world's rules, cell by cell, against the book's tables and against the rules of its published code."""

import numpy as np
import pytest

from rl.dynamic_programming import value_iteration
from rl.envs import GridWorld, RandomWalk
from rl.envs.grid_world import BOOK, MOVES
from rl.episodes import play_fast

UP, RIGHT, DOWN, LEFT, STAY = range(5)
THREE = "...\n..#\n#.G"  # the 3 x 3 world of chapters 1 and 5: s6 and s7 forbidden, s9 the target


def outcome(env, s, a):
    return int(env.tables.next_state[s, a, 0]), float(env.tables.reward[s, a, 0])


def walk(env, start, actions):
    """States and rewards of a sequence of actions."""
    states, rewards = [env.reset(seed=0, options={"state": start})[0]], []
    for a in actions:
        s, r, *_ = env.step(a)
        states.append(s)
        rewards.append(r)
    return states, rewards


# ---- the book's rules


def test_the_books_map():
    letters = GridWorld().cells
    forbidden = [(int(row) + 1, int(column) + 1) for row, column in np.argwhere(letters == "#")]
    assert forbidden == [(2, 2), (2, 3), (3, 3), (4, 2), (4, 4), (5, 2)]
    assert np.argwhere(letters == "G").tolist() == [[3, 2]] and letters.shape == (5, 5)


def test_transitions_of_the_3_by_3_world():
    """The table of chapter 1: rows s1 ... s9, columns up, right, down, left, stay."""
    table = """1 2 4 1 1
               2 3 5 1 2
               3 3 6 2 3
               1 5 7 4 4
               2 6 8 4 5
               3 6 9 5 6
               4 8 7 7 7
               5 9 8 7 8
               6 9 9 8 9"""
    env = GridWorld(THREE)
    expected = np.array([row.split() for row in table.splitlines()], int) - 1
    np.testing.assert_array_equal(env.tables.next_state[:, :, 0], expected)


def test_rewards_of_the_3_by_3_world():
    """The table of chapter 1, with b, f, t for the rewards of boundary, forbidden and target."""
    table = """b 0 0 b 0
               b 0 0 0 0
               b b f 0 0
               0 0 f b 0
               0 f 0 0 0
               0 b t 0 f
               0 0 b b f
               0 t b f 0
               f b b 0 t"""
    env = GridWorld(THREE, reward_boundary=-2, reward_forbidden=-3, reward_target=5)
    numbers = {"b": -2, "f": -3, "t": 5, "0": 0}
    expected = np.array([[numbers[sign] for sign in row.split()] for row in table.splitlines()])
    np.testing.assert_array_equal(env.tables.reward[:, :, 0], expected)


def test_trajectories_and_returns_of_chapter_1():
    env = GridWorld(THREE)
    states, rewards = walk(env, 0, [RIGHT, DOWN, DOWN, RIGHT])
    assert (states, sum(rewards)) == ([0, 1, 4, 7, 8], 1)
    states, rewards = walk(env, 0, [DOWN, DOWN, RIGHT, RIGHT])
    assert (states, sum(rewards)) == ([0, 3, 6, 7, 8], 0)
    gamma = 0.9  # and then it stays for ever: the discounted return of the first is gamma^3 / (1 - gamma)
    _, rewards = walk(env, 0, [RIGHT, DOWN, DOWN, RIGHT] + [STAY] * 400)
    assert abs(np.power(gamma, range(404)) @ rewards - gamma**3 / (1 - gamma)) < 1e-12


def test_the_target_is_not_the_end_unless_asked():
    env, ending = GridWorld("SG"), GridWorld("SG", target_terminal=True)
    for world, terminated in ((env, False), (ending, True)):
        world.reset()
        assert world.step(RIGHT) == (1, 1.0, terminated, False, {})
    assert env.step(STAY)[:2] == (1, 1.0)
    assert env.mdp().terminal.tolist() == [False, False] and ending.mdp().terminal.tolist() == [False, True]


def test_a_bounce_costs_what_its_cell_says():
    """From within a forbidden cell: reward_boundary, or, by the hidden rule of figures 5.6 and 5.7, both."""
    plain, additive = (GridWorld(reward_forbidden=-10, bounce_in_forbidden=word) for word in ("boundary", "additive"))
    assert outcome(plain, 21, DOWN) == (21, -1) and outcome(additive, 21, DOWN) == (21, -11)
    assert outcome(plain, 20, DOWN) == outcome(additive, 20, DOWN) == (20, -1)  # from a free cell
    differ = np.argwhere(plain.tables.reward != additive.tables.reward)
    assert differ.tolist() == [[21, DOWN, 0]]
    np.testing.assert_array_equal(plain.tables.next_state, additive.tables.next_state)


def test_forbidden_cells_that_block():
    env = GridWorld(forbidden="block", reward_forbidden=-7)
    assert outcome(env, 5, RIGHT) == (5, -7)  # (2, 2) is forbidden: it stays
    assert outcome(GridWorld(reward_forbidden=-7), 5, RIGHT) == (6, -7)
    free = np.flatnonzero(env.cells.ravel() != "#")
    assert set(env.tables.next_state[free].ravel()) == set(free)


def test_every_move_by_hand():
    """All 25 x 5 outcomes against the rules written once more, without any table."""
    env = GridWorld(reward_boundary=-2, reward_forbidden=-3, reward_target=5, reward_step=-0.5)
    rows = BOOK.split()
    for s in range(25):
        for a, (dy, dx) in enumerate(MOVES.values()):
            y, x = s // 5 + dy, s % 5 + dx
            if y in range(5) and x in range(5):
                expected = 5 * y + x, {".": -0.5, "#": -3, "G": 5}[rows[y][x]]
            else:
                expected = s, -2
            assert outcome(env, s, a) == expected


def test_several_targets_and_starts():
    env = GridWorld("SG.\nG.S", target_terminal=True)
    assert env.start.tolist() == [0.5, 0, 0, 0, 0, 0.5]
    assert {env.reset()[0] for _ in range(60)} == {0, 5}
    assert outcome(env, 0, RIGHT) == (1, 1) and outcome(env, 0, DOWN) == (3, 1)
    assert env.mdp().terminal.tolist() == [False, True, False, True, False, False]


@pytest.mark.parametrize(
    "options, cells",
    [
        ({}, range(25)),
        ({"target_terminal": True}, [s for s in range(25) if s != 17]),
        ({"forbidden": "block"}, [s for s in range(25) if s not in (6, 7, 12, 16, 18, 21)]),
    ],
)
def test_without_an_s_it_starts_anywhere_that_makes_sense(options, cells):
    start = GridWorld(**options).start
    assert np.flatnonzero(start).tolist() == list(cells) and np.allclose(start[list(cells)], 1 / len(cells))


# ---- the rules of the code that is published with the book

PUBLISHED = {
    "text": ".....\n..#..\n..S..\n.#.#.\n....G",  # by (x, y) from 0: start (2, 2), target (4, 4), forbidden (2, 1), (3, 3), (1, 3)
    "actions": ("down", "right", "up", "left", "stay"), "reward_boundary": -5, "reward_forbidden": -5, "reward_target": 10,
    "reward_step": -1, "forbidden": "block", "target_terminal": True,
}  # fmt: skip


def published(x, y, dx, dy):
    """(x', y'), reward, done by the rules of that code: the walls and the forbidden cells block and cost 5."""
    to = x + dx, y + dy
    if to[0] not in range(5) or to[1] not in range(5) or to in [(2, 1), (3, 3), (1, 3)]:
        return (x, y), -5, False
    return to, 10 if to == (4, 4) else -1, to == (4, 4)


def test_the_published_codes_conventions_as_parameters():
    env = GridWorld(**PUBLISHED)
    for y, x in np.argwhere((env.cells != "#") & (env.cells != "G")):
        for a, move in enumerate([(0, 1), (1, 0), (0, -1), (-1, 0), (0, 0)]):
            env.reset(options={"state": int(5 * y + x)})
            s, reward, terminated, truncated, _ = env.step(a)
            assert ((s % 5, s // 5), reward, terminated) == published(int(x), int(y), *move) and not truncated


def test_an_episode_by_the_published_codes_conventions():
    env = GridWorld(**PUBLISHED)
    assert env.reset(seed=0)[0] == 12
    steps = [env.step(a) for a in (2, 1, 1, 0, 0)]  # up is blocked; right, right, down, down
    assert [(s, r, done) for s, r, done, *_ in steps] == [(12, -5, 0), (13, -1, 0), (14, -1, 0), (19, -1, 0), (24, 10, 1)]


# ---- what is drawn and printed


def test_coordinates_are_column_and_row():
    env = GridWorld("..G\n...")
    expected = [[0, 0], [0.5, 0], [1, 0], [0, 1], [0.5, 1], [1, 1]]
    np.testing.assert_array_equal(env.coordinates(), expected)
    np.testing.assert_array_equal(env.coordinates(-1, 1), 2 * np.array(expected) - 1)
    np.testing.assert_array_equal(GridWorld("G").coordinates(2, 3), [[2, 2]])


def test_texts():
    env = GridWorld(".#\n.G")
    assert env.values_text([8, -10.04, -0.001, 9.96]) == "  8.0  -10.0\n  0.0   10.0"
    assert env.values_text(np.ones((2, 2)), digits=0) == "1  1\n1  1"
    policy = [[0, 0.5, 0.5, 0, 0], [0, 0, 1, 0, 0], [0.1, 0.6, 0.1, 0.1, 0.1], [0, 0, 0, 0, 1]]
    assert env.policy_text(policy) == ">v  v\n>   o"
    with pytest.raises(ValueError):
        env.values_text(np.zeros(3))


def test_render():
    env = GridWorld("S#\n.G")
    assert env.render(cell=8).shape == (16, 16, 3)  # before the first reset: no agent
    assert (env.render(cell=8)[4, 4] == 255).all()
    env.reset()
    image = env.render(cell=8)
    assert image.dtype == np.uint8
    colours = [tuple(image[y, x].tolist()) for y, x in ((4, 4), (2, 14), (14, 2), (14, 14))]
    assert colours == [(43, 108, 176), (237, 177, 32), (255, 255, 255), (77, 190, 238)]
    np.testing.assert_allclose(np.array(colours[1::2]) / 255, [[0.929, 0.694, 0.125], [0.301, 0.745, 0.933]], atol=0.002)


# ---- maps and words that make no sense


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"text": "..\n.."}, "the map has no target: put a G in it"),
        ({"text": ""}, "the map has no target"),
        ({"text": "...\n..\n..G"}, "ragged map: row 1 has 3 cells, row 2 has 2"),
        ({"text": "..\n\n.G"}, "ragged map: row 1 has 2 cells, row 2 has 0"),
        ({"text": ".g\n.G"}, "the map holds 'g': draw it with"),
        ({"text": "G", "target_terminal": True}, "no cell to start in"),
        ({"text": "#G", "target_terminal": True, "forbidden": "block"}, "no cell to start in"),
        ({"forbidden": "enterable"}, "forbidden must be one of enter, block, not 'enterable'"),
        ({"bounce_in_forbidden": "both"}, "bounce_in_forbidden must be one of boundary, additive, not 'both'"),
        ({"actions": ("north",)}, "actions must be one of up, right, down, left, stay, not 'north'"),
        ({"actions": "up"}, "actions must be one of up, .*, not 'u'"),
        ({"actions": ()}, "actions must be one of"),
        ({"reward_step": np.nan}, "a reward is nan"),
        ({"reward_target": np.inf}, "a reward is inf"),
        ({"max_episode_steps": 0}, "max_episode_steps must be an integer of at least 1"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"GridWorld: {message}"):
        GridWorld(**arguments)


# ---- the other finite world


def test_random_walk():
    env = RandomWalk(19, 1)
    assert env.reset(seed=0)[0] == 10
    s, total, terminated = 10, 0, False
    while not terminated:
        before = s
        s, reward, terminated, truncated, _ = env.step(0)
        assert abs(s - before) == 1 and not truncated
        total += reward
    assert (s, total) in [(0, -1.0), (20, 1.0)]
    assert env.render().shape == (40, 402, 3)


def test_a_long_jump_is_cut_at_the_ends():
    env = RandomWalk(1000, 100)
    P = env.mdp().P[:, 0]
    assert np.isclose(P[1, 0], 0.5) and np.isclose(P[50, 0], 51 / 200) and np.isclose(P[1000, 1001], 0.5) and P[500, 500] == 0
    assert np.count_nonzero(P[500]) == 200 and np.allclose(P[500, P[500] > 0], 1 / 200)


@pytest.mark.parametrize("arguments", [(0, 1), (10, 0), (2.5, 1)])
def test_a_random_walk_that_is_none(arguments):
    with pytest.raises(ValueError, match="RandomWalk: (n|jump) must be an integer of at least 1"):
        RandomWalk(*arguments)


def test_a_cell_that_is_walled_in_does_not_spoil_gamma_1():
    env = GridWorld("#####\n#S..#\n#.#G#\n#####", forbidden="block", target_terminal=True, reward_step=-1, reward_target=0)
    solution = value_iteration(env.mdp(), 1.0)
    assert solution.values.reshape(4, 5)[1, 1:4].tolist() == [-2, -1, 0] and env.tables.terminal[0]
    assert not env.tables.terminal.reshape(4, 5)[2, 2]  # the wall in the middle can be left


def test_a_map_that_is_no_text():
    with pytest.raises(TypeError, match="the map must be one string with a row a line, not"):
        GridWorld(["..", ".G"])


def test_a_walled_in_cell_ends_no_episode_where_the_target_does_not():
    env = GridWorld("##.\n##.\n..G", forbidden="block")
    with pytest.raises(ValueError, match="no state is terminal"):
        play_fast(env, np.full((9, 5), 0.2), 1, np.random.default_rng(0))
