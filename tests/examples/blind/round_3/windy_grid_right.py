# Exercise windy-grid: a grid world with wind (20 minutes). Read first: GridWorld.outcome in
# rl/envs/grid_world.py; Sutton & Barto, example 6.5.
#
# States are the cells of a map, numbered row by row from 0, the top row first. Actions 0 to 3 move one cell up,
# right, down, left; the wind of the column *where the step begins* adds wind[column] cells upwards (downwards
# where it is negative). Move and wind are added first; a row or a column that is then outside the map becomes
# the nearest one inside. Every action in the goal stays there. Return the state that follows, (rows * columns,
# 4) integers; wind (columns,) stays as it is.

import numpy as np


def windy(rows, columns, wind, goal):
    r"""int, int, (columns,) integers, int -> (rows * columns, 4) integers"""
    moves = [(-1, 0), (0, 1), (1, 0), (0, -1)]
    following = np.zeros((rows * columns, 4), dtype=int)
    for s in range(rows * columns):
        row, col = divmod(s, columns)
        for a, (dr, dc) in enumerate(moves):
            if s == goal:
                following[s, a] = goal
                continue
            new_row = row + dr - int(wind[col])
            new_col = col + dc
            new_row = min(max(new_row, 0), rows - 1)
            new_col = min(max(new_col, 0), columns - 1)
            following[s, a] = new_row * columns + new_col
    return following
