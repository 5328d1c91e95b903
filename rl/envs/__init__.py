"""Worlds for agents, all with Gymnasium's contract. Reading order:

environment   the contract: reset, step, terminated apart from truncated
tabular       worlds with finitely many states: four tables, one compiled draw
grid_world    Zhao's grid, from a drawing
random_walk   a line with an end on either side
mountain_car  a car too weak for its hill
cart_pole     a pole that must not fall
dynamics      worlds with continuous states for compiled loops
pendulum      swing it up and hold it
lqr           a linear world with a quadratic cost, whose best policy is known exactly
gymnasium     ours as a `gymnasium.Env`, where that package is installed
"""

from .cart_pole import CartPole
from .environment import Environment
from .grid_world import GridWorld
from .gymnasium import as_gymnasium
from .lqr import LQR
from .mountain_car import MountainCar
from .pendulum import Pendulum
from .random_walk import RandomWalk
from .tabular import TabularEnvironment

__all__ = ["CartPole", "Environment", "GridWorld", "LQR", "MountainCar", "Pendulum", "RandomWalk", "TabularEnvironment", "as_gymnasium"]
