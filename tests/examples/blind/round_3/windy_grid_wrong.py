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
    s = np.arange(rows * columns)
    row, col = s // columns, s % columns
    d_row = np.array([-1, 0, 1, 0])
    d_col = np.array([0, 1, 0, -1])
    # the move
    new_row = np.clip(row[:, None] + d_row, 0, rows - 1)
    new_col = np.clip(col[:, None] + d_col, 0, columns - 1)
    # the wind
    new_row = np.clip(new_row - wind[col][:, None], 0, rows - 1)
    result = new_row * columns + new_col
    result[goal] = goal
    return result
