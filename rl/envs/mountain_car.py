r"""Mountain car (Moore 1990; Sutton & Barto, example 10.1): the engine is weaker than gravity, so drive away from the goal
first. Gymnasium's MountainCar-v0, the same numbers to the last bit.

    v ← v + 0.001 (a − 1) − 0.0025 cos(3x),   cut to ±0.07          a = 0 push left, 1 coast, 2 push right
    x ← x + v,                                cut to −1.2 … 0.6     (semi-implicit Euler: the new v moves x)

The left end is a wall: v becomes 0 there. Each step costs 1 until x ≥ 0.5. The start is at rest, x uniform in
−0.6 … −0.4. No step ever pays, and a car that pushes at random almost never arrives: it is all exploration.
"""

import math

import numpy as np

from minigrad.kernels import jit

from ..spaces import Box, Discrete
from .environment import Environment

LOW, HIGH, GOAL, TOP_SPEED = -1.2, 0.6, 0.5, 0.07
FORCE, GRAVITY = 0.001, 0.0025
MOUNTAIN_CAR = 0  # its kind in dynamics.py


def mountain_car_start(state, rng):
    """Write a first state into `state` (2,)."""
    state[0], state[1] = rng.uniform(-0.6, -0.4), 0.0


def mountain_car_step(state, action):
    """Move the state (x, v), float64 (2,), in place by one step: (reward, terminated)."""
    v = state[1] + ((action - 1) * FORCE + math.cos(3 * state[0]) * -GRAVITY)
    v = min(max(v, -TOP_SPEED), TOP_SPEED)
    x = min(max(state[0] + v, LOW), HIGH)
    if x == LOW and v < 0:
        v = 0.0
    state[0], state[1] = x, v
    return -1.0, x >= GOAL and v >= 0


mountain_car_start = jit(mountain_car_start, flags=())
mountain_car_step = jit(mountain_car_step, flags=())  # no flags: the same bits as Gymnasium's


def height(x):
    """Height of the hill at x: sin(3x), scaled as Gymnasium draws it."""
    return np.sin(3 * np.asarray(x)) * 0.45 + 0.55


class MountainCar(Environment):
    """Observation (x, v), float32, as Gymnasium gives it; the state within is float64.

    max_episode_steps: Gymnasium's 200; None for Sutton & Barto's task, which goes on until the goal.
    """

    kind, goal = MOUNTAIN_CAR, GOAL

    def __init__(self, max_episode_steps=200):
        low, high = np.array([LOW, -TOP_SPEED], np.float32), np.array([HIGH, TOP_SPEED], np.float32)
        super().__init__(Box(low, high), Discrete(3), max_episode_steps)
        self.state = np.zeros(2)

    def begin(self, options):
        """At rest in the valley, or options["state"] = (x, v)."""
        state = np.array(options.get("state", (0, 0)), np.float64)
        if not self.observation_space.contains(state.astype(np.float32)):
            raise ValueError(f"MountainCar: state {options['state']!r} is not in {self.observation_space}")
        self.state = state
        if "state" not in options:
            mountain_car_start(self.state, self.rng)
        return self.state.astype(np.float32)

    def move(self, action):
        """One step: (observation, reward, terminated)."""
        reward, terminated = mountain_car_step(self.state, int(action))
        return self.state.astype(np.float32), reward, terminated

    def render(self, width=300, height_in_pixels=200):
        """RGB image: the hill, the goal's flag, and the car as a dark blue disc."""
        image = np.full((height_in_pixels, width, 3), 255, np.uint8)
        scale = width / (HIGH - LOW)
        row, column = np.ogrid[:height_in_pixels, :width]
        ground = height(LOW + column / scale) * scale  # pixels above the lower edge
        up = height_in_pixels - row
        image[np.broadcast_to(up < ground, image.shape[:2])] = (226, 232, 240)
        pole = (self.goal - LOW) * scale
        foot = height(self.goal) * scale
        image[(np.abs(column - pole) < 1) & (up >= foot) & (up < foot + 30)] = (80, 80, 80)
        image[(column >= pole) & (column < pole + 14) & (np.abs(up - foot - 25) < 5)] = (221, 107, 32)
        x = (self.state[0] - LOW) * scale
        image[(column - x) ** 2 + (up - height(self.state[0]) * scale - 7) ** 2 < 49] = (43, 108, 176)
        return image
