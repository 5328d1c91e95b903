r"""Pendulum: swing a rod up with a motor that is too weak to lift it, and hold it there. Gymnasium's Pendulum-v1.

    θ̈ = 3 g / (2 l) · sin θ + 3 / (m l²) · u        g = 10, l = m = 1, |u| ≤ 2; θ = 0 is upright
    θ̇ ← clip(θ̇ + θ̈ Δt, ±8),   θ ← θ + θ̇ Δt        Δt = 0.05: the new speed moves the angle ("semi-implicit" Euler)
    r = −(θ² + 0.1 θ̇² + 0.001 u²)                  of the state *before* the step, θ taken in [−π, π)

An episode is truncated after 200 steps and never terminated. The observation is (cos θ, sin θ, θ̇), since θ itself would
jump at ±π.
"""

import math

import numpy as np

from minigrad.kernels import jit

from ..spaces import Box
from .environment import Environment

MAX_SPEED, MAX_TORQUE, DT = 8.0, 2.0, 0.05


def pendulum_cost(theta, speed, u):
    """θ² + 0.1 θ̇² + 0.001 u², θ taken in [−π, π).

    On NumPy's numbers, as `Pendulum` calls it, these are Gymnasium's bits: `x**2` of such a number asks libm's pow, and
    0.001 u² is float32 if u is. Compiled, 0.001 u² is float64: the reward is off by up to 1e-9.
    """
    angle = (theta + math.pi) % (2 * math.pi) - math.pi
    return angle**2 + 0.1 * speed**2 + 0.001 * u**2


compiled_cost = jit(pendulum_cost, flags=())


def pendulum_step(state, action):
    """Move the state (θ, θ̇), float64 (2,), in place by the action u (1,); returns the reward.

    As in Gymnasium, the term that holds nothing but u is computed in the action's own type: a float32 action makes it
    float32, and a port that misses this is off by up to 3e-3 in 200 episodes. So all states and observations are
    Gymnasium's to the last bit.
    """
    theta, speed, u = state[0], state[1], action[0]
    real = action.dtype.type
    cost = compiled_cost(theta, speed, u)
    # np.sin, not math.sin: run without the compiler, that gives a Python number, and the sum would be u's float32
    speed = speed + (15.0 * np.sin(theta) + real(3) * u) * DT
    state[1] = min(max(speed, -MAX_SPEED), MAX_SPEED)
    state[0] = theta + state[1] * DT
    return -cost


pendulum_step = jit(pendulum_step, flags=())  # no flags: the same bits as Gymnasium's


class Pendulum(Environment):
    """reset(options={"state": (θ, θ̇)}) begins there, with any angle and a speed in ±8; without, θ ~ U(±π) and θ̇ ~ U(±1)."""

    def __init__(self, max_episode_steps=200):
        high = np.array([1, 1, MAX_SPEED], np.float32)
        super().__init__(Box(-high, high), Box(-MAX_TORQUE, MAX_TORQUE, (1,)), max_episode_steps)
        self.state, self.torque = np.array([np.pi, 0.0]), 0.0  # it hangs until the first reset

    def begin(self, options):
        """Draw the first state, or take it from the options."""
        start = options["state"] if "state" in options else self.rng.uniform([-np.pi, -1.0], [np.pi, 1.0])
        start = np.array(start, np.float64)
        if start.shape != (2,) or not np.isfinite(start[0]) or not abs(start[1]) <= MAX_SPEED:
            raise ValueError(f"Pendulum: the state must be (angle, speed) with a speed in +-8, not {options['state']!r}")
        self.state, self.torque = start, 0.0
        return self.observe()

    def move(self, action):
        """One step of 0.05 s."""
        action = np.asarray(action)
        if action.dtype != np.float32:
            action = action.astype(np.float64)  # in integers, 0.001 u² would be 0
        self.torque = float(action[0])
        reward = -pendulum_cost(*self.state, action[0])  # of the state before the step
        pendulum_step(self.state, action)
        return self.observe(), reward, False

    def observe(self):
        """(cos θ, sin θ, θ̇), float32"""
        theta, speed = self.state
        return np.array([np.cos(theta), np.sin(theta), speed], np.float32)

    def render(self, size=160):
        """RGB image (size, size, 3): the rod, and the torque as an arc of the rim, to the side that it pushes to."""
        y, x = np.mgrid[1 : -1 : size * 1j, -1 : 1 : size * 1j] * 1.2
        tip = np.array([-math.sin(self.state[0]), math.cos(self.state[0])])
        along = np.clip(x * tip[0] + y * tip[1], 0, 1)  # the nearest point of the rod, as a fraction of its length
        rod = np.hypot(x - along * tip[0], y - along * tip[1]) < 0.09
        turn = np.arctan2(-x, y)  # angle of each pixel, as θ
        rim, push = np.abs(np.hypot(x, y) - 1.14) < 0.03, 1.5 * abs(self.torque) / MAX_TORQUE
        arc = rim & (turn * np.sign(self.torque) > 0) & (abs(turn) < push)
        image = np.full((size, size, 3), 255, np.uint8)
        image[rod], image[arc] = (204, 77, 77), (43, 108, 176)
        image[np.hypot(x, y) < 0.04] = 0
        return image
