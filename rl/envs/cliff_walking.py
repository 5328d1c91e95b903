r"""Cliff walking (Sutton & Barto, example 6.6): the shortest way leads along an abyss.

    . . . . . . . . . . . .
    . . . . . . . . . . . .
    . . . . . . . . . . . .      S start, G goal, x the cliff
    S x x x x x x x x x x G

Every step costs 1. Whoever steps into the cliff pays 100 and is back at the start; *the episode goes on*. (Some codes end
it there. Then a fall spares all later steps, and the returns differ from the book's.)
"""

import numpy as np

from .tabular import TabularEnvironment

MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])  # up, right, down, left: Gymnasium's order


class CliffWalking(TabularEnvironment):
    """States are numbered row by row: start 36, goal 47, cliff 37 to 46. Observation and action are Gymnasium's, too."""

    def __init__(self, max_episode_steps=None):
        self.shape = rows, columns = 4, 12
        start, goal = (rows - 1) * columns, rows * columns - 1
        row, column = np.divmod(np.arange(rows * columns), columns)
        to_row = np.clip(row[:, None] + MOVES[:, 0], 0, rows - 1)  # (S, A)
        to = to_row * columns + np.clip(column[:, None] + MOVES[:, 1], 0, columns - 1)  # (S, A)
        falls = (to > start) & (to < goal)
        next_state, reward = np.where(falls, start, to), np.where(falls, -100.0, -1.0)  # (S, A), (S, A)
        s = np.arange(rows * columns)
        super().__init__(
            next_state[..., None], np.ones((*to.shape, 1)), reward[..., None], s == goal, s == start, max_episode_steps
        )

    def render(self, cell=24):
        """RGB image with `cell` pixels a cell: the cliff dark, the goal light blue, the agent a blue square."""
        image = np.full((*self.shape, 3), 255, np.uint8)
        image[-1, 1:-1], image[-1, -1] = 80, (77, 190, 238)
        if self.rng is not None:
            image[divmod(self.state, self.shape[1])] = (43, 108, 176)
        image = image.repeat(cell, 0).repeat(cell, 1)
        image[::cell], image[:, ::cell] = 160, 160  # grid lines
        return image
