"""Ours as a `gymnasium.Env` (1.0 or newer), for tools that want one: `as_gymnasium(env)`.

The other way needs nothing: a real Gymnasium environment has the same contract, and works wherever ours does.
"""

from functools import cache

from ..spaces import Box, Discrete
from .environment import Environment


@cache
def adapter(gymnasium):
    """The class of what `as_gymnasium` returns, made when first asked for: its base is in a package that may be missing."""

    class Adapter(gymnasium.Env):
        """Hands everything on to `env`, one of ours."""

        metadata = {"render_modes": ["rgb_array"], "render_fps": 20}
        # Gymnasium keeps its generator under this name. It must be the one that ours draws from, not a second one beside it.
        _np_random = property(lambda self: self.env.rng, lambda self, rng: setattr(self.env, "rng", rng))

        def __init__(self, env, render_mode):
            self.env, self.render_mode = env, render_mode
            self.observation_space = as_gymnasium_space(env.observation_space, gymnasium.spaces)
            self.action_space = as_gymnasium_space(env.action_space, gymnasium.spaces)

        def reset(self, *, seed=None, options=None):
            """As ours: the same seed gives the same start."""
            super().reset(seed=seed)  # with a seed, a new generator
            self.env.rng = self.np_random  # without, and if there is none yet, Gymnasium makes one here and knows its seed
            return self.env.reset(options=options)

        def step(self, action):
            """As ours, with ours' own time limit."""
            return self.env.step(action)

        def render(self):
            """RGB image (height, width, 3), or None if render_mode is None."""
            return self.env.render() if self.render_mode else None

        def close(self):
            """As ours."""
            self.env.close()

        def __str__(self):
            return f"<as_gymnasium<{type(self.env).__name__}>>"

    return Adapter


def as_gymnasium_space(space, spaces):
    """Our space as the one of the same name in `gymnasium.spaces`; TypeError if there is none."""
    if isinstance(space, Box):
        return spaces.Box(space.low, space.high, space.shape, space.dtype.type)
    if isinstance(space, Discrete):
        return spaces.Discrete(space.n, start=space.start)
    raise TypeError(f"as_gymnasium: space {space!r} must be a Box or a Discrete of rl.spaces")


def as_gymnasium(env, render_mode="rgb_array"):
    """env, one of ours, as a `gymnasium.Env`, which passes `gymnasium.utils.env_checker.check_env`.

    It has its own time limit: ours truncates itself after env.max_episode_steps. So `gymnasium.register` it without one,
    or the `TimeLimit` that this adds counts once more. Two things stay as ours has them where Gymnasium leaves it open:
    a `step` after the end raises, and so does an action outside the space (Gymnasium's Pendulum clips it).

    render_mode: "rgb_array", `render()` gives an image; None, for a world without pictures: it gives None. ImportError
    without the package gymnasium, TypeError if env is not one of ours, ValueError for another mode.
    """
    try:
        import gymnasium
    except ImportError as error:
        raise ImportError("as_gymnasium needs the package gymnasium: pip install gymnasium") from error
    if not isinstance(env, Environment):
        raise TypeError(f"as_gymnasium: env must be one of rl.envs, not {type(env).__name__}")
    if render_mode not in ("rgb_array", None):
        raise ValueError(f"as_gymnasium: render_mode must be 'rgb_array' or None, not {render_mode!r}: there is no window")
    return adapter(gymnasium)(env, render_mode)
