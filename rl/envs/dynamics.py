r"""Worlds with continuous states and numbered actions, for compiled loops: one `step` for all, to be chosen by an integer.

A compiled loop cannot hold a Python object, nor take a function as an argument (its machine code would then not be kept
for the next process). So an environment's class says its `kind`, and the three functions here look up what belongs to it.
A state is float64, `STATE_SIZE[kind]` numbers; what an agent sees is float32, as in Gymnasium.

To add a world: a start and a step in its own file, a kind and its branches here, and `kind = ...` in its class.
"""

from minigrad.kernels import jit

from .cart_pole import CART_POLE, cart_pole_start, cart_pole_step
from .mountain_car import MOUNTAIN_CAR, mountain_car_start, mountain_car_step

STATE_SIZE = {MOUNTAIN_CAR: 2, CART_POLE: 4}


def has_kind(env):
    """Whether a compiled loop may play in env's place. A kind that is inherited does not count: a subclass may move otherwise."""
    return "kind" in vars(type(env))


def begin(kind, state, rng):
    """Write a first state into `state`. ValueError if there is no such kind, or the state has another size."""
    if state.size != (2 if kind == MOUNTAIN_CAR else 4) or (kind != MOUNTAIN_CAR and kind != CART_POLE):
        raise ValueError("dynamics: no such kind of world, or a state that is not of its size")
    if kind == MOUNTAIN_CAR:
        mountain_car_start(state, rng)
    else:
        cart_pole_start(state, rng)


def step(kind, state, action):
    """Move the state in place by one step: (reward, terminated)."""
    return mountain_car_step(state, action) if kind == MOUNTAIN_CAR else cart_pole_step(state, action)


def observe(kind, state, observation):
    """Write what the agent sees of the state."""
    for i in range(observation.size):
        observation[i] = state[i]


begin, step, observe = jit(begin, flags=()), jit(step, flags=()), jit(observe, flags=())
