r"""Exercises over the fast twins, the codec, real values and any order; and three bugs more for the museum."""

from . import museum_density

EXERCISES = (*museum_density.EXERCISES,)
