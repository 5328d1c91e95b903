r"""Windy grid (Sutton & Barto, example 6.5, exercises 6.9 and 6.10): a wind from below, stronger in the middle.

    . . . . . . . . . .
    . . . . . . . . . .
    . . . . . . . . . .
    S . . . . . . G . .
    . . . . . . . . . .
    . . . . . . . . . .
    . . . . . . . . . .
    0 0 0 1 1 1 2 2 1 0      cells that the wind carries up whoever *leaves* this column, by whatever action

Every step costs 1 until the goal. The map's edge stops everything. The shortest way has 15 steps, 7 with King's moves.
"""

import numpy as np

from .tabular import TabularEnvironment

WIND = np.array([0, 0, 0, 1, 1, 1, 2, 2, 1, 0])
MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1), (0, 0)])


class WindyGrid(TabularEnvironment):
    """States are numbered row by row: start 30, goal 37. Actions: up, right, down, left.

    kings_moves:   four more actions, the diagonals: up-right, down-right, down-left, up-left
    stay:          one more, to stay (and be carried)
    random_wind:   where there is wind, it is one cell weaker or stronger in one third of the steps each
    """

    def __init__(self, kings_moves=False, stay=False, random_wind=False, max_episode_steps=None):
        self.shape = rows, columns = 7, 10
        moves = MOVES[[*range(8 if kings_moves else 4), *[8] * bool(stay)]]  # (A, 2)
        row, column = np.divmod(np.arange(rows * columns), columns)
        gust = np.array([-1, 0, 1]) if random_wind else np.array([0])  # (K,)
        wind = WIND[column][:, None] + gust * (WIND[column] > 0)[:, None]  # (S, K)
        to_row = row[:, None, None] + moves[:, :1] - wind[:, None, :]  # (S, A, K)
        to_column = column[:, None, None] + moves[:, 1:]  # (S, A, 1)
        next_state = np.clip(to_row, 0, rows - 1) * columns + np.clip(to_column, 0, columns - 1)  # (S, A, K)
        s, probability = np.arange(rows * columns), np.full(next_state.shape, 1 / gust.size)
        super().__init__(next_state, probability, np.full(next_state.shape, -1.0), s == 37, s == 30, max_episode_steps)

    def render(self, cell=24):
        """RGB image with `cell` pixels a cell: the darker a column, the more wind; the goal light blue, the agent blue."""
        image = np.broadcast_to((255 - 25 * WIND)[:, None], (*self.shape, 3)).astype(np.uint8)
        image[3, 7] = (77, 190, 238)
        if self.rng is not None:
            image[divmod(self.state, self.shape[1])] = (43, 108, 176)
        image = image.repeat(cell, 0).repeat(cell, 1)
        image[::cell], image[:, ::cell] = 160, 160  # grid lines
        return image
