r"""Exercises over temporal differences."""

EXERCISES = ()
