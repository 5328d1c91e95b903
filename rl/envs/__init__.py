"""Worlds for agents, all with Gymnasium's contract. Reading order:

environment        the contract: reset, step, terminated apart from truncated
tabular            worlds with finitely many states: four tables, one compiled draw
grid_world         Zhao's grid, from a drawing
random_walk        a line with an end on either side
cliff_walking      the shortest way leads along an abyss
windy_grid         a wind that carries the walker off
maximization_bias  a choice that noise makes look good
short_corridor     three states that look alike
mountain_car       a car too weak for its hill
cart_pole          a pole that must not fall
dynamics           worlds with continuous states for compiled loops
mountain_car_continuous  the same hill, with a throttle
pendulum           swing it up and hold it
lqr                a linear world with a quadratic cost, whose best policy is known exactly
gymnasium          ours as a `gymnasium.Env`, where that package is installed
"""

from .cart_pole import CartPole
from .cliff_walking import CliffWalking
from .environment import Environment
from .grid_world import GridWorld
from .gymnasium import as_gymnasium
from .lqr import LQR
from .maximization_bias import MaximizationBias
from .mountain_car import MountainCar
from .mountain_car_continuous import MountainCarContinuous
from .pendulum import Pendulum
from .random_walk import RandomWalk
from .short_corridor import ShortCorridor
from .tabular import TabularEnvironment
from .windy_grid import WindyGrid

__all__ = [
    "CartPole", "CliffWalking", "Environment", "GridWorld", "LQR", "MaximizationBias", "MountainCar", "MountainCarContinuous", "Pendulum",
    "RandomWalk", "ShortCorridor", "TabularEnvironment", "WindyGrid", "as_gymnasium",
]  # fmt: skip
