r"""Mountain car with a throttle: a push between −1 and 1 that costs its square. Gymnasium's MountainCarContinuous-v0.

    v ← v + 0.0015 a − 0.0025 cos(3x),   cut to ±0.07
    x ← x + v,                           cut to −1.2 … 0.6      the left end is a wall: v becomes 0 there
    r = 100 [x ≥ 0.45 and v ≥ 0] − 0.1 a²                       the goal pays 100, and ends the episode

The start is at rest, x uniform in −0.6 … −0.4; after 999 steps the clock stops it. The engine is weaker than gravity, as in
`mountain_car`, and here each push costs: until the goal has been seen once, to do nothing at all is the best policy.

What is paid is the action that was *executed*. Gymnasium cuts the push to ±1 but not its cost: a = 3 pushes like 1 and
costs 0.9. Here an action outside −1 … 1 is refused, as in every world of ours, so the two cannot differ.
"""

import math

import numpy as np

from minigrad.kernels import jit

from ..spaces import Box
from .environment import Environment
from .mountain_car import MountainCar

LOW, HIGH, GOAL, TOP_SPEED = -1.2, 0.6, 0.45, 0.07
POWER, GRAVITY = 0.0015, 0.0025


def mountain_car_continuous_step(state, action, after):
    """Write the state (x, v) after an action (1,) in −1 ... 1 into `after` (2,), float32: (reward, terminated).

    The bits are Gymnasium's: its first state is float64, all later ones are float32, and each term has the type of what it
    is made of: 3x the state's, push and slope the action's. (With float64 actions the last bit of the reward may differ, as
    its pow(a, 2) is not always a · a, and all bits within 3e-8 of a limit.) `after` may be `state`, once that is float32.
    """
    kind, real, single, a = state.dtype.type, action.dtype.type, np.float32, np.float64(action[0])
    slope = GRAVITY * math.cos(np.float64(kind(3) * state[0]))
    v = state[1] + (action[0] * real(POWER) - real(slope))
    v = min(max(v, -kind(TOP_SPEED)), kind(TOP_SPEED))
    x = min(max(single(state[0] + v), single(LOW)), single(HIGH))
    if x == single(LOW) and v < 0:
        v = kind(0)
    terminated = x >= single(GOAL) and v >= 0
    after[0], after[1] = x, v
    return (100.0 if terminated else 0.0) - a * a * 0.1, terminated


mountain_car_continuous_step = jit(mountain_car_continuous_step, flags=())  # no flags: the same bits as Gymnasium's


def many_steps(states, actions, rewards, going):
    """One step of N cars side by side: states (N, 2) float32 move in place, rewards (N,) are written, actions (N, 1) taken.

    going (N,) says which cars are not at the goal yet. The others rest, and get 0; who arrives is struck off. ValueError if
    the shapes differ.
    """
    if not (len(states) == len(actions) == len(rewards) == len(going) and states.shape[1] == 2 and actions.shape[1] == 1):
        raise ValueError("many_steps: states (N, 2), actions (N, 1), rewards (N,) and going (N,) must have the same N")
    for i in range(len(states)):
        rewards[i] = 0.0
        if going[i]:
            rewards[i], terminated = mountain_car_continuous_step(states[i], actions[i], states[i])
            going[i] = not terminated


many_steps = jit(many_steps, flags=())


class MountainCarContinuous(Environment):
    """Observation (x, v), float32. reset(options={"state": (x, v)}) begins there.

    max_episode_steps: Gymnasium's 999; None goes on until the goal.
    """

    goal = GOAL

    def __init__(self, max_episode_steps=999):
        low, high = np.array([LOW, -TOP_SPEED], np.float32), np.array([HIGH, TOP_SPEED], np.float32)
        super().__init__(Box(low, high), Box(-1.0, 1.0, (1,)), max_episode_steps)
        self.state = np.zeros(2)

    def begin(self, options):
        """At rest in the valley, or options["state"] = (x, v)."""
        start = options["state"] if "state" in options else (self.rng.uniform(-0.6, -0.4), 0.0)
        start = np.array(start, np.float64)
        if not self.observation_space.contains(start.astype(np.float32)):
            raise ValueError(f"MountainCarContinuous: state {options['state']!r} is not in {self.observation_space}")
        self.state = start
        return start.astype(np.float32)

    def move(self, action):
        """One step: (observation, reward, terminated)."""
        action, after = np.asarray(action), np.empty(2, np.float32)
        if action.dtype != np.float32:
            action = action.astype(np.float64)  # an integer's type would round the engine's power to 0
        reward, terminated = mountain_car_continuous_step(self.state, action, after)
        self.state = after
        return after.copy(), reward, terminated

    render = MountainCar.render  # the same hill
