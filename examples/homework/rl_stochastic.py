r"""Exercises over stochastic approximation."""

EXERCISES = ()
