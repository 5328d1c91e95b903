"""The tiny runs of rl/'s agents with networks: see `tiny_runs.py`."""

from rl import envs, td3

from . import td3_pendulum
from .tiny_runs import run
from .tiny_runs_rl import linear_world


@run(n=3, m=2, B=13, H={7, 11}, **{"in": (3, 5), "out": (1, 2)})
def twin_critics(rng):
    """TD3 in a linear world: updates with and without the actor, a saved agent."""
    agent = td3.TD3(linear_world(), 0, hidden=(7, 11), batch_size=13, capacity=19, start_steps=14, decay_steps=9).learn(17)
    agent.load_state_dict(agent.state_dict())


@run(n=3, m=1, B=(5, 9), H={7}, **{"in": (3, 4), "out": 1})
def critics_and_returns(rng):
    """TD3 on Pendulum: what the critic says of 9 states, and what follows."""
    agent = td3.TD3(envs.Pendulum(), 0, hidden=(7,), batch_size=5, start_steps=6).learn(8)
    td3_pendulum.look(agent, 9, 2)
