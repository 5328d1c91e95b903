"""All exercises by name, in the order of the chapters. Nothing of the library is imported here: it is grafted first."""

from . import engine, reinforcement

EXERCISES = {exercise.id: exercise for exercise in (*engine.EXERCISES, *reinforcement.EXERCISES)}
