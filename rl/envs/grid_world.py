r"""The grid world of Zhao's book, from a drawing, with every convention as a parameter.

    .  free      #  forbidden      G  target      S  where an episode may start (anywhere, if there is no S)

States are numbered row by row from 0. The book lets the agent *enter* a forbidden cell, and pay; its target is *not*
the end: the agent stays there and is paid for every step. Other codes (also the one published with the book) block the
forbidden cells and end at the target. Half of all "my values differ from the book's" is one of these conventions.
"""

import numpy as np

from .tabular import TabularEnvironment

MOVES = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1), "stay": (0, 0)}
SIGNS = {"up": "^", "right": ">", "down": "v", "left": "<", "stay": "o"}
BOOK = """
.....
.##..
..#..
.#G#.
.#..."""  # the 5 × 5 map of chapters 2 to 8
FREE_COLOUR, FORBIDDEN_COLOUR, TARGET_COLOUR, AGENT_COLOUR = (255, 255, 255), (237, 177, 32), (77, 190, 238), (43, 108, 176)


def parse(text):
    """The drawing as an array of letters (rows, columns); ValueError says what is wrong with it."""
    if not isinstance(text, str):
        raise TypeError(f"GridWorld: the map must be one string with a row a line, not {text!r}")
    lines = [line.strip() for line in text.strip().splitlines()]
    widths = {len(line) for line in lines}
    if len(widths) > 1:
        odd = next(i for i, line in enumerate(lines) if len(line) != len(lines[0]))
        raise ValueError(f"GridWorld: ragged map: row 1 has {len(lines[0])} cells, row {odd + 1} has {len(lines[odd])}")
    cells = np.array([list(line) for line in lines])
    if unknown := sorted(set("".join(lines)) - set(".#GS")):
        found = " ".join(map(repr, unknown))
        raise ValueError(f"GridWorld: the map holds {found}: draw it with . (free), # (forbidden), G (target), S (start)")
    if "G" not in cells:
        raise ValueError("GridWorld: the map has no target: put a G in it")
    return cells


class GridWorld(TabularEnvironment):
    """text: the map; actions: names from up, right, down, left, stay, in the order of their numbers.

    reward_boundary:     for a step off the map; the agent stays where it is
    reward_forbidden:    for a step into a forbidden cell
    reward_target:       for every step that ends in the target, staying there included
    reward_step:         for every other step
    forbidden:           "enter": the agent is in the forbidden cell then; "block": it stays where it was
    target_terminal:     whether the target ends the episode
    bounce_in_forbidden: what a step off the map from *within* a forbidden cell pays: "boundary", reward_boundary, or
                         "additive", reward_boundary + reward_forbidden (Zhao's figures 5.6 and 5.7 silently use that)
    max_episode_steps:   truncate after so many steps
    ValueError for a map without a target, with ragged rows, unknown letters or no cell to start in, for an unknown word,
    and for a reward that is not finite.
    """

    def __init__(
        self, text=BOOK, actions=("up", "right", "down", "left", "stay"), reward_boundary=-1, reward_forbidden=-1,
        reward_target=1, reward_step=0, forbidden="enter", target_terminal=False, bounce_in_forbidden="boundary",
        max_episode_steps=None,
    ):  # fmt: skip
        self.cells, self.actions = parse(text), tuple(actions)
        for name, value, words in (("forbidden", forbidden, ("enter", "block")),
                                   ("bounce_in_forbidden", bounce_in_forbidden, ("boundary", "additive")),
                                   *(("actions", action, tuple(MOVES)) for action in self.actions or [None])):  # fmt: skip
            if value not in words:
                raise ValueError(f"GridWorld: {name} must be one of {', '.join(words)}, not {value!r}")
        self.shape, self.blocking, self.bounce_in_forbidden = self.cells.shape, forbidden == "block", bounce_in_forbidden
        self.reward_boundary, self.reward_forbidden = reward_boundary, reward_forbidden
        self.reward_target, self.reward_step = reward_target, reward_step
        outcomes = [[self.outcome(s, action) for action in self.actions] for s in range(self.cells.size)]
        next_state, reward = np.moveaxis(np.array(outcomes, float), 2, 0)[..., None]  # each (S, A, 1): nothing is random
        letters = self.cells.ravel()  # (S,)
        walled_in = self.blocking & (letters == "#") & (next_state[:, :, 0] == np.arange(letters.size)[:, None]).all(axis=1)
        terminal, start = ((letters == "G") | walled_in) & target_terminal, letters == "S"
        if not start.any():
            start = ~terminal & ~((letters == "#") & self.blocking)
        if not start.any():
            raise ValueError("GridWorld: no cell to start in: the map has nothing but terminal targets and blocked cells")
        super().__init__(next_state, np.ones(next_state.shape), reward, terminal, start / start.sum(), max_episode_steps)

    def outcome(self, s, action):
        """The rule of the game: (s', r) of an action, by its name, in state s."""
        row, column = divmod(s, self.shape[1])
        to = row + MOVES[action][0], column + MOVES[action][1]
        if not (0 <= to[0] < self.shape[0] and 0 <= to[1] < self.shape[1]):
            additive = self.cells[row, column] == "#" and self.bounce_in_forbidden == "additive"
            return s, self.reward_boundary + (self.reward_forbidden if additive else 0)
        there = to[0] * self.shape[1] + to[1]
        if self.cells[to] == "#":
            return s if self.blocking else there, self.reward_forbidden
        return there, self.reward_target if self.cells[to] == "G" else self.reward_step

    def coordinates(self, low=0.0, high=1.0):
        """(column, row) of every state, each scaled to low ... high: (S, 2), x to the right and y down."""
        rows, columns = np.divmod(np.arange(self.cells.size), self.shape[1])
        scale = np.maximum(np.array(self.shape[::-1]) - 1, 1)
        return low + (high - low) * np.stack([columns, rows], axis=1) / scale

    def values_text(self, values, digits=1):
        """Values (S,) as the book prints them: one row of the grid a line, as text."""
        rows = np.round(np.reshape(values, self.shape), digits) + 0.0  # no −0.0
        width = max(len(f"{v:.{digits}f}") for v in rows.ravel())
        return "\n".join("  ".join(f"{v:{width}.{digits}f}" for v in row) for row in rows)

    def policy_text(self, policy):
        """The likeliest actions of a policy (S, A) in every cell, as ^ > v < and o (stay): >v where two share the top."""
        policy = np.asarray(policy)
        likeliest = policy > 0.999999 * policy.max(axis=1, keepdims=True)  # (S, A)
        words = ["".join(SIGNS[action] for action, is_one in zip(self.actions, row) if is_one) for row in likeliest]
        width = max(map(len, words))
        return "\n".join("  ".join(f"{word:<{width}}" for word in row).rstrip() for row in np.reshape(words, self.shape))

    def render(self, cell=32):
        """RGB image with `cell` pixels a cell: forbidden yellow, target light blue, the agent a dark blue disc."""
        colours = {".": FREE_COLOUR, "S": FREE_COLOUR, "#": FORBIDDEN_COLOUR, "G": TARGET_COLOUR}
        image = np.array([[colours[c] for c in row] for row in self.cells], np.uint8).repeat(cell, 0).repeat(cell, 1)
        image[::cell], image[:, ::cell] = 160, 160  # grid lines
        if self.rng is not None:
            row, column = divmod(self.state, self.shape[1])
            y, x = np.ogrid[:cell, :cell]
            disc = (y - cell / 2) ** 2 + (x - cell / 2) ** 2 < (cell / 3) ** 2
            image[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell][disc] = AGENT_COLOUR
        return image
