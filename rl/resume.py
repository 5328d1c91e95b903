r"""Saving an agent and going on from there, with the same bits: `checkpoint.save(agent.state_dict(), path)`, and back.

What is easily forgotten: the optimiser's moments, the memory, every generator, the noise, and the episode that had begun.
An agent lists what it is made of, and the two functions here go through the list.

    optimizers, schedules, others    parts with a state_dict of their own; others: a memory, a noise
    copies                           networks without a graph that follow the others
    generators, kept                 of random numbers; the names of plain values
"""

import copy


class Resumable:
    """What has these lists can be saved."""

    kept = ("steps", "s", "episode_return", "returns", "env_seed", "next_seed")

    def parts(self):
        """What has a state_dict of its own."""
        return (*self.optimizers, *self.schedules, *self.others)

    def theta(self):
        """All weights, as arrays to be written into: those that the optimisers move, then those that follow."""
        return [flat.data for optimizer in self.optimizers for flat in optimizer.flats] + [network.theta for network in self.copies]

    def made_of(self):
        """What it is made of, in words: agents that differ here cannot take each other's place."""
        kinds = [type(x).__name__ for x in (self, *self.parts())]
        return ", ".join([*kinds, *(f"{theta.dtype}{theta.shape}" for theta in self.theta())])

    def state_dict(self):
        """All that decides how training goes on: weights, optimisers, schedules, memory, generators, the episode begun."""
        return {
            "made_of": self.made_of(), "theta": [theta.copy() for theta in self.theta()],
            "parts": [part.state_dict() for part in self.parts()],
            "rng": [rng.bit_generator.state for rng in self.generators],
            "env": self.env.state_dict() if hasattr(self.env, "state_dict") else None,
            **{name: copy.copy(getattr(self, name)) for name in self.kept},
        }  # fmt: skip

    def load_state_dict(self, state):
        """Go on from a state_dict, with the same bits if the environment is one of ours. ValueError if it does not fit.

        Another environment cannot be put back into the middle of an episode: it begins a new one, from a seed of its own.
        """
        if (saved := state.get("made_of")) != self.made_of():
            raise ValueError(f"this agent is made of {self.made_of()}; what was saved is made of {saved}")
        for part, saved in zip(self.parts()[::-1], state["parts"][::-1]):  # the memory first: it may refuse
            part.load_state_dict(saved)
        for theta, saved in zip(self.theta(), state["theta"]):
            theta[...] = saved
        for rng, saved in zip(self.generators, state["rng"]):
            rng.bit_generator.state = saved
        for name in self.kept:
            setattr(self, name, copy.copy(state[name]))
        self.returns = [tuple(pair) for pair in self.returns]  # a file makes lists of them
        if state["env"] is not None:
            self.env.load_state_dict(state["env"])
        elif self.steps:
            self.s, self.next_seed = None, self.env_seed + self.steps
