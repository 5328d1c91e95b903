r"""Exercises over Monte Carlo methods."""

EXERCISES = ()
