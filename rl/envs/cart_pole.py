r"""Cart pole (Barto, Sutton & Anderson 1983): push a cart to the left or right so that the pole on it does not fall.
Gymnasium's CartPole-v1, the same numbers to the last bit.

    x position of the cart (m), θ angle of the pole (rad, 0 is upright), F = ±10 N the push; M = 1 kg cart, m = 0.1 kg pole,
    l = 0.5 m half its length, τ = 0.02 s a step; f the acceleration (m/s²) that the cart would have if the pole did not turn:

    f  = (F + m l θ̇² sin θ) / (M + m)
    θ̈  = (g sin θ − f cos θ) / (l (4/3 − m cos² θ / (M + m)))          ẍ = f − m l θ̈ cos θ / (M + m)

    x ← x + τ ẋ,   ẋ ← ẋ + τ ẍ,   θ ← θ + τ θ̇,   θ̇ ← θ̇ + τ θ̈          (Euler: the old speeds move the positions)

Each step pays 1, also the one that fails: |θ| > 12° or |x| > 2.4 m. So the return is the number of steps, 500 at most, when
the clock stops. The start is near rest, all four numbers uniform in ±0.05. Whoever pushes at random keeps the pole up for 22
steps.
"""

import math

import numpy as np

from minigrad.kernels import jit

from ..spaces import Box, Discrete
from .environment import Environment

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, TAU = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
TOTAL = POLE + CART
X_LIMIT, ANGLE_LIMIT = 2.4, 12 * 2 * math.pi / 360
CART_POLE = 1  # its kind in dynamics.py


def cart_pole_start(state, rng):
    """Write a first state into `state` (4,)."""
    for i in range(4):
        state[i] = rng.uniform(-0.05, 0.05)


def cart_pole_step(state, action):
    """Move the state (x, ẋ, θ, θ̇), float64 (4,), in place by one step; action 0 pushes left, 1 right: (reward, terminated)."""
    x, x_dot, theta, theta_dot = state[0], state[1], state[2], state[3]
    cos, sin = math.cos(theta), math.sin(theta)
    f = ((FORCE if action == 1 else -FORCE) + POLE * HALF_LENGTH * (theta_dot * theta_dot) * sin) / TOTAL
    theta_acc = (GRAVITY * sin - cos * f) / (HALF_LENGTH * (4.0 / 3.0 - POLE * (cos * cos) / TOTAL))
    x_acc = f - POLE * HALF_LENGTH * theta_acc * cos / TOTAL
    state[0], state[1] = x + TAU * x_dot, x_dot + TAU * x_acc
    state[2], state[3] = theta + TAU * theta_dot, theta_dot + TAU * theta_acc
    return 1.0, abs(state[0]) > X_LIMIT or abs(state[2]) > ANGLE_LIMIT


cart_pole_start = jit(cart_pole_start, flags=())
cart_pole_step = jit(cart_pole_step, flags=())  # no flags: the same bits as Gymnasium's


class CartPole(Environment):
    """Observation (x, ẋ, θ, θ̇), float32, as Gymnasium gives it; the state within is float64.

    max_episode_steps: Gymnasium's 500; None goes on until the pole falls.
    """

    kind = CART_POLE

    def __init__(self, max_episode_steps=500):
        high = np.array([2 * X_LIMIT, np.inf, 2 * ANGLE_LIMIT, np.inf], np.float32)
        super().__init__(Box(-high, high), Discrete(2), max_episode_steps)
        self.state = np.zeros(4)

    def begin(self, options):
        """Near rest, upright, in the middle, or options["state"] = (x, ẋ, θ, θ̇)."""
        state = np.array(options.get("state", (0, 0, 0, 0)), np.float64)
        if state.shape != (4,) or not (abs(state) < 1e30).all() or not self.observation_space.contains(state.astype(np.float32)):
            raise ValueError(f"CartPole: state {options['state']!r} is not in {self.observation_space}")
        self.state = state
        if "state" not in options:
            cart_pole_start(self.state, self.rng)
        return self.state.astype(np.float32)

    def move(self, action):
        """One step: (observation, reward, terminated)."""
        reward, terminated = cart_pole_step(self.state, int(action))
        return self.state.astype(np.float32), reward, terminated

    def render(self, width=300, height=150):
        """RGB image: the track between the limits, the cart in dark blue, the pole in orange."""
        image = np.full((height, width, 3), 255, np.uint8)
        y, x = np.ogrid[:height, :width]
        scale, ground = width / (2 * X_LIMIT + 0.5), height * 3 // 4
        cart = width / 2 + self.state[0] * scale
        image[ground : ground + 2] = 160
        image[(np.abs(x - cart) < 20) & (np.abs(y - ground) < 10)] = (43, 108, 176)
        along, across = np.sin(self.state[2]), np.cos(self.state[2])
        t = (x - cart) * along + (ground - 10 - y) * across  # how far up the pole a pixel lies, and how far beside it
        beside = (x - cart) * across - (ground - 10 - y) * along
        image[(t > 0) & (t < 2 * HALF_LENGTH * scale) & (np.abs(beside) < 3)] = (221, 107, 32)
        return image
