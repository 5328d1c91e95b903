r"""Exercises over TD3: the lesser of two targets, the delay, and a published bug of the smoothing noise."""

import numpy as np

from .exercise import Exercise, Failed, expect


def small(get, **keywords):
    """A small TD3 in a world with two numbers in an observation and two in an action: weights of order 1, all networks different, no
    noise unless asked for; and a Batch of 6, of which every second transition is terminated.
    """
    LQR, Batch = get("rl.envs:LQR"), get("rl.replay:Batch")
    settings = {"hidden": (8,), "batch_size": 4, "dtype": np.float64, "gamma": 0.9, "tau": 0.25, "target_policy_noise": 0.0}
    made = get("rl.td3:TD3")(LQR(A=np.eye(2), B=np.ones((2, 2)), Q=np.eye(2), R=np.eye(2)), 0, **settings | keywords)
    rng = np.random.default_rng(0)
    s, s2 = rng.uniform(-1, 1, (2, 6, 2))
    batch = Batch(*[np.asarray(x, made.dtype) for x in (s, rng.uniform(-1, 1, (6, 2)), rng.standard_normal(6), s2, np.arange(6) % 2)])
    for network in (made.actor, *made.critics):
        network.theta.data = network.theta.data + 0.5 * rng.standard_normal(network.theta.shape)
    for network in (made.target_actor, *made.target_critics):
        network.theta += (0.5 * rng.standard_normal(network.theta.shape)).astype(made.dtype)
    for critic in made.target_critics:  # the bias of the last layer: now the one says less, now the other
        critic.theta[-1] -= np.median(critic(np.concatenate([batch.next_observation, made.target_actor(batch.next_observation)], axis=1)))
    return made, batch


# ---- line 11: the lesser of two


def target_ended(get):
    """Where the world ended; an array (B,), not a Tensor"""
    made, batch = small(get)
    y = made.targets(batch)
    if not isinstance(y, np.ndarray):
        raise Failed(f"targets(batch) returned a {type(y).__name__}: it must be an array, a constant that no gradient enters")
    expect(y.shape, np.array([6]), "targets(batch) of 6 transitions: its shape")
    expect(y[1::2], batch.reward[1::2], "targets(batch), where terminated is 1: nothing follows, so y = r")


def target_least(get):
    """The least of both slow critics, for each transition by itself"""
    for critics in (2, 1, 3):
        made, batch = small(get, n_critics=critics)
        pairs = np.concatenate([batch.next_observation, made.target_actor(batch.next_observation)], axis=1)
        q = np.array([critic(pairs) for critic in made.target_critics])
        shown = "" if critics != 2 else f"\nQ1' {np.round(q[0], 2)}\nQ2' {np.round(q[1], 2)}\n"
        expect(made.targets(batch), batch.reward + 0.9 * (1 - batch.terminated) * q.min(axis=0), f"targets(batch), {critics} critics, no noise: {shown}y")


def target_smoothed(get):
    """The smoothed actions, drawn once for all critics"""
    made, batch = small(get)
    given, asked = np.random.default_rng(1).uniform(-1, 1, (6, 2)), []
    made.target_actions = lambda s2: asked.append(np.array(s2)) or given
    pairs = np.concatenate([batch.next_observation, given], axis=1)
    least = np.min([critic(pairs) for critic in made.target_critics], axis=0)
    y = made.targets(batch)
    if len(asked) != 1:
        raise Failed(f"targets(batch) called self.target_actions {len(asked)} times: the actions are drawn once, and all critics judge the same ones")
    expect(asked[0], batch.next_observation, "self.target_actions must be asked about s'; what it was given")
    expect(y, batch.reward + 0.9 * (1 - batch.terminated) * least, "targets(batch), when self.target_actions(s') is a given array: y")


def probe_target(f, get):
    """y with and without noise, and with the critics the other way round."""
    (made, batch), (turned, _) = small(get, target_policy_noise=0.3), small(get)
    turned.target_critics = turned.target_critics[::-1]
    turned.critics = turned.critics[::-1]
    return np.concatenate([f(made, batch), f(*small(get)), f(turned, batch)])


LEAST = "np.min([target_critic(pairs) for target_critic in self.target_critics], axis=0)"
TARGET = Exercise(
    id="td3-target",
    title="the lesser of two opinions",
    target="rl.td3:TD3.targets",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="the docstrings of rl/td3.py; DDPG.targets in rl/ddpg.py",
    task="The target y (B,) of TD3 for a Batch, an array. self.target_critics is a list of slow critics, two of them or any other number, each a "
         "function pairs (B, n + m) -> (B,). self.target_actions(s2) draws the smoothed actions (B, m) for next observations s2 (B, n): "
         "call it once. `pair(s, a)` puts observations and actions side by side.",
    formula=("Line 11: y = r + γ (1 − terminated) min_i Q_i'(s', ã), (B,)",),
    check=(target_ended, target_least, target_smoothed),
    probe=probe_target,
    hints=(
        "One critic says too much of this transition, the other of that one. Over what does the min run, and over what not?",
        "y = r + gamma (1 - terminated) min over i of Q_i'(s', a~), for each of the B transitions by itself.",
        "pairs = pair(s', target_actions(s')); q = least of [critic(pairs) for each], along the list; return r + gamma * (1 - terminated) * q",
    ),
    why="np.min over a list of (B,) arrays is over all of their numbers unless axis=0 is said, and the one number that comes out "
        "fits every shape: the agent would believe that each transition leads to the worst state of the batch.",
    wrong={
        "maximum": (((LEAST, LEAST.replace("np.min", "np.max")),), "the greater of both is taken: that doubles the very error that the second critic is there to cure."),
        "mean": (((LEAST, LEAST.replace("np.min", "np.mean")),), "the mean of both critics is taken, which is as much too high as each of them."),
        "first_only": (((LEAST, "self.target_critics[0](pairs)"),), "only the first critic is asked: that is DDPG's target."),
        "second_only": (((LEAST, "self.target_critics[-1](pairs)"),), "only the last critic is asked."),
        "over_the_batch": (((LEAST, LEAST.replace(", axis=0", "")),), "the min runs over the whole batch, too: one number for all transitions, and broadcasting hides it."),
        "lesser_critic": (((LEAST, "min((target_critic(pairs) for target_critic in self.target_critics), key=np.mean)"),), "the critic that says less on average is taken for the whole batch: the min is each transition's own."),
        "after_discounting": ((("return batch.reward + self.gamma * (1 - batch.terminated) * q", "return np.minimum(batch.reward, batch.reward + self.gamma * (1 - batch.terminated) * q)"),),
                              "y is never above r: the min runs over the critics, not over whether something follows."),
        "unsmoothed": ((("self.target_actions(", "self.target_actor("),), "the actions come from the slow actor without noise: self.target_actions smooths them."),
        "own_noise": (((LEAST, "np.min([target_critic(pair(batch.next_observation, self.target_actions(batch.next_observation))) for target_critic in self.target_critics], axis=0)"),
                       ("        pairs = pair(batch.next_observation, self.target_actions(batch.next_observation))  # (B, n + m)\n", "")),
                      "each critic judges actions of its own: the min then picks the unluckier noise, too."),
        "online_critics": (((LEAST, "np.min([critic(pairs).data for critic in self.critics], axis=0)"),), "the online critics make the target: it then moves with every step that chases it."),
        "bootstraps_through_terminal": ((("(1 - batch.terminated) * q", "q"),), "it bootstraps through the end of the world: where terminated is 1, y is r alone."),
        "forgets_gamma": ((("self.gamma * (1", "(1"),), "gamma is missing."),
        "present_observation": ((("pair(batch.next_observation, self.target_actions(batch.next_observation))", "pair(batch.observation, self.target_actions(batch.observation))"),),
                                "the critics are asked about s, not about s'."),
    },
    right={
        "where": """\
def targets(self, batch):
    s2 = batch.next_observation
    ahead = pair(s2, self.target_actions(s2))
    first, *others = [critic(ahead) for critic in self.target_critics]
    for other in others:
        first = np.where(other < first, other, first)
    return np.where(batch.terminated > 0, batch.reward, batch.reward + self.gamma * first)
""",
        "loop": """\
def targets(self, batch):
    a = self.target_actions(batch.next_observation)
    said = [critic(np.hstack([batch.next_observation, a])) for critic in self.target_critics]
    y = batch.reward.copy()
    for i in range(len(y)):
        if not batch.terminated[i]:
            y[i] += self.gamma * min(q[i] for q in said)
    return y
""",
    },
)  # fmt: skip

# ---- lines 13 and 14: every d-th time


def weights(made):
    """Copies of all weights: actor, critics, then their targets."""
    online = [np.array(network.theta.data) for network in (made.actor, *made.critics)]
    return online + [np.array(network.theta) for network in (made.target_actor, *made.target_critics)]


NAMES = ("the actor", "critic 1", "critic 2", "the target actor", "target critic 1", "target critic 2")


def delay_counts(get):
    """Who moves at which update"""
    made, batch = small(get, policy_delay=3)
    made.steps = 7  # steps of the environment: not what counts
    for update in range(1, 8):
        before = weights(made)
        loss = made.update(batch)
        for name, old, new in zip(NAMES, before, weights(made)):
            moved, should = (old != new).any(), update % 3 == 0 or name in ("critic 1", "critic 2")
            if moved != should:
                raise Failed(f"policy_delay 3, update {update}: {name} {'moved' if moved else 'stayed'}; it must {'move' if should else 'stay'}")
        if not isinstance(loss, (float, np.floating)):
            raise Failed(f"update(batch) returned {loss!r}: it must return what critic_step returns")


def delay_averages(get):
    """Each target follows its own network, after that has moved"""
    made, batch = small(get, policy_delay=2)
    for update in range(1, 5):
        before = weights(made)
        made.update(batch)
        for name, old, online in zip(NAMES[3:], before[3:], weights(made)[:3]) if update % 2 == 0 else ():
            got = weights(made)[NAMES.index(name)]
            expect(got, 0.25 * online + 0.75 * old, f"tau = 1/4, {name} after update {update}: theta' = tau theta + (1 - tau) theta' with the theta after this update's steps; it")


def delay_rates(get):
    """Learning rates fall at every update; the loss is that of the critics; a saved count goes on"""
    made, batch = small(get, policy_delay=3, decay_steps=4, actor_lr=0.01, critic_lr=0.01)
    (twin, _), said = small(get, policy_delay=3, decay_steps=4, actor_lr=0.01, critic_lr=0.01), []
    for left in (0.75, 0.5, 0.25):
        said.append(made.update(batch))
        expect(np.array([optimizer.lr for optimizer in made.optimizers]), 0.01 * np.full(3, left), "decay_steps 4, policy_delay 3: the rates of all three optimisers after an update")
    expect(said[0], np.float64(twin.critic_step(batch)), "what the first update(batch) returns: that of critic_step(batch), which")
    resumed, _ = small(get, policy_delay=3)
    half, _ = small(get, policy_delay=3)
    half.update(batch), half.update(batch)
    resumed.load_state_dict(half.state_dict())
    before = weights(resumed)[0]
    resumed.update(batch)
    if (weights(resumed)[0] == before).all():
        raise Failed("policy_delay 3, saved after two updates and loaded into a new agent: the actor must move at its first update, the third of all")


def probe_delay(f, get):
    """All weights after four updates, the rates, the loss of the last."""
    made, batch = small(get, policy_delay=3, decay_steps=40)
    made.steps, losses = 7, []
    for _ in range(4):
        losses.append(f(made, batch))
    loss = losses[-1] if isinstance(losses[-1], float) else -1.0
    return np.concatenate([*weights(made), [optimizer.lr for optimizer in made.optimizers], [loss]])


ACTOR, TURN = "            self.actor_step(batch)  # line 13, DDPG's: its critic is Q₁\n", "        if self.critic_optimizer.steps % self.policy_delay == 0:\n"
LOOP = """\
            for network, target in zip((self.actor, *self.critics), (self.target_actor, *self.target_critics)):
                polyak(network.theta.data, target.theta, self.tau)  # line 14
"""
DELAY = Exercise(
    id="td3-delay",
    title="an actor that waits for its critics",
    target="rl.td3:TD3.update",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/td3.py and TD3.__init__; DDPG.update and polyak in rl/ddpg.py",
    task="One update: lines 11 to 14. self.critic_step(batch) does 11 and 12 for all critics and returns their loss, which `update` returns; "
         "self.actor_step(batch) does 13; polyak(theta, theta_target, tau) moves an array theta_target in place. The arrays: theta.data of self.actor and of each in "
         "self.critics; theta of self.target_actor and of each in self.target_critics.\nLines 13 and 14 only at every d-th update, d = self.policy_delay: the d-th, the 2 d-th and so on. "
         "self.critic_optimizer.steps counts the steps of the first critic, so the updates, and is saved with the agent: keep no count of your own. "
         "Each of self.schedules takes a step() at every update.",
    check=(delay_counts, delay_averages, delay_rates),
    probe=probe_delay,
    hints=(
        "After the critics' very first step, what does critic_optimizer.steps say, and is it the actor's turn, if d = 2?",
        "Lines 13 and 14 belong together: both happen if the count, after the critics' step, is a multiple of d. Line 14 is for the actor and for every critic.",
        "loss = critic_step(batch); if critic_optimizer.steps % policy_delay == 0: actor_step(batch), then polyak for each network and its target; step all schedules; return loss",
    ),
    why="A count that the optimiser keeps and saves cannot disagree with the one that the agent would keep: a run that is resumed in the middle of a delay goes on with the same bits.",
    wrong={
        "every_time": (((TURN, "        if True:\n"),), "there is no delay: the actor and all targets move at every update."),
        "targets_every_time": (((LOOP, LOOP.replace("            for", "        for").replace("                polyak", "            polyak")),), "the targets move at every update: they wait with the actor."),
        "actor_every_time": (((TURN + ACTOR, ACTOR[4:] + TURN),), "the actor moves at every update: only the targets wait."),
        "one_early": (((TURN, TURN.replace("== 0", "== self.policy_delay - 1")),), "it is one update early: with d = 3 the actor moves at the second, not the third."),
        "counts_environment": (((TURN, TURN.replace("self.critic_optimizer.steps", "self.steps")),), "self.steps counts steps of the environment: the delay is counted in updates."),
        "counts_actor": (((TURN, TURN.replace("self.critic_optimizer.steps", "self.actor_optimizer.steps")),), "the actor's own steps are counted: after its first, it waits for itself for ever."),
        "before_the_critics": ((("        loss = self.critic_step(batch)\n", "        turn = self.critic_optimizer.steps % self.policy_delay == 0\n        loss = self.critic_step(batch)\n"), (TURN, "        if turn:\n")),
                               "the count is asked before the critics' step: the actor moves at the first update already."),
        "first_critic_only": ((("(self.actor, *self.critics), (self.target_actor, *self.target_critics)", "(self.actor, self.critic), (self.target_actor, self.target_critic)"),),
                              "the second critic's target never moves: it stays as it was drawn at the start, and takes the min in earnest."),
        "actor_target_forgotten": ((("(self.actor, *self.critics), (self.target_actor, *self.target_critics)", "self.critics, self.target_critics"),), "the target actor never moves."),
        "targets_first": (((ACTOR + LOOP, LOOP + ACTOR),), "the targets follow before the actor has moved: line 14 comes after line 13."),
        "copies": ((("target.theta, self.tau)", "target.theta, 1.0)"),), "the targets become copies: that is tau = 1."),
        "swapped": ((("polyak(network.theta.data, target.theta, self.tau)", "polyak(target.theta, network.theta.data, self.tau)"),), "theta and theta' are swapped: the online networks follow their own past."),
        "schedules_wait": ((("        for schedule in self.schedules:\n            schedule.step()\n", "            for schedule in self.schedules:\n                schedule.step()\n"),),
                           "the schedules wait with the actor: the rates would fall d times too slowly."),
        "no_loss": ((("        return loss\n", ""),), "nothing is returned: `update` gives back the critics' loss."),
    },
    right={
        "one_by_one": """\
def update(self, batch):
    loss = self.critic_step(batch)
    if not self.critic_optimizer.steps % self.policy_delay:
        self.actor_step(batch)
        polyak(self.actor.theta.data, self.target_actor.theta, self.tau)
        for critic, target in zip(self.critics, self.target_critics):
            polyak(critic.theta.data, target.theta, self.tau)
    for schedule in self.schedules:
        schedule.step()
    return loss
""",
        "divmod": """\
def follow(agent):
    pairs = [(agent.actor, agent.target_actor), *zip(agent.critics, agent.target_critics)]
    for online, slow in pairs:
        slow.theta[:] = agent.tau * online.theta.data + (1 - agent.tau) * slow.theta


def update(self, batch):
    loss = self.critic_step(batch)
    rounds, rest = divmod(self.critic_optimizer.steps, self.policy_delay)
    if rounds > 0 and rest == 0:
        self.actor_step(batch)
        follow(self)
    [schedule.step() for schedule in self.schedules]
    return loss
""",
    },
)  # fmt: skip

# ---- a published bug: the same noise for all


def smoothing_none(get):
    """Without noise it is what the slow actor says, in its type"""
    for keywords in ({"target_policy_noise": 0.0}, {"target_policy_noise": 0.3, "target_noise_clip": 0.0}):
        for dtype in (np.float64, np.float32):
            made, batch = small(get, dtype=dtype, **keywords)
            want = made.target_actor(batch.next_observation)
            expect(made.target_actions(batch.next_observation), want, f"target_actions of 6 next observations, {keywords}, {np.dtype(dtype).name}:\nwhat the slow actor says, which", rtol=1e-6)
    made, batch = small(get, dtype=np.float32, target_policy_noise=0.3)
    got = getattr(made.target_actions(batch.next_observation), "dtype", None)
    if got != np.float32:
        raise Failed(f"target_actions in a float32 agent, sigma .3, returned {got}: all must stay float32")


def noise_of(get, sigma, c, B=4_000):
    """The noise (B, 2) in the target actions of B equal next observations, where the actor says nearly 0."""
    made, _ = small(get, target_policy_noise=sigma, target_noise_clip=c)
    made.target_actor.theta *= 1e-3
    s2 = np.full((B, 2), 0.5)
    return np.asarray(made.target_actions(s2)) - made.target_actor(s2)


def smoothing_noise(get):
    """Each transition and each dimension has noise of its own, of the right size, clipped"""
    call = "4,000 times the same s', the actor says nearly 0 in both dimensions, "
    wide, narrow = noise_of(get, 0.1, 10.0), noise_of(get, 0.1, 0.05)
    expect(wide.shape, np.array([4000, 2]), f"{call}the shape of the target actions")
    for dimension, name in enumerate(("first", "second")):
        if (distinct := len(np.unique(wide[:, dimension]))) < 3_900:
            raise Failed(f"{call}sigma .1: in the {name} dimension there {'is' if distinct == 1 else 'are'} {distinct} different noise{'s' * (distinct > 1)}; each transition must have its own")
    if abs(np.corrcoef(wide.T)[0, 1]) > 0.1:
        raise Failed(f"{call}sigma .1: the noises of both dimensions have correlation {np.corrcoef(wide.T)[0, 1]:.2f}; they must be independent")
    for what, got, want, off in (("standard deviation", wide.std(), 0.1, 0.005), ("mean", wide.mean(), 0.0, 0.008)):
        if abs(got - want) > off:
            raise Failed(f"{call}sigma .1, hardly clipped (c = 10):\nthe noise has {what} {got:.3f}; it must be {want} (within {off})")
    for what, got, want, off in (("maximum", narrow.max(), 0.05, 1e-9), ("minimum", narrow.min(), -0.05, 1e-9), ("share at a limit", np.isclose(np.abs(narrow), 0.05).mean(), 0.617, 0.03)):
        if abs(got - want) > off:
            raise Failed(f"{call}sigma .1, c = .05:\nthe noise has {what} {got:.3f}; it must be {want} (within {off})")


def smoothing_inside(get):
    """The actions stay inside -1 ... 1, noise included"""
    made, _ = small(get, target_policy_noise=0.2)
    made.target_actor.theta[-2:] = 2.5, -2.5  # tanh: .987 and -.987
    made.target_actor.theta[:-2] *= 1e-3
    a, s2 = made.target_actions(np.zeros((1_000, 2))), np.zeros((1, 2))
    call = f"1,000 times the same s', the actor says {np.round(made.target_actor(s2)[0], 3)}, sigma .2, c .5:\n"
    expect(np.array([a.max(), a.min()]), np.array([1.0, -1.0]), f"{call}the greatest and the least of all actions")
    inside = ((a[:, 0] > 0.48) & (a[:, 1] < -0.48)).all()
    if not inside:
        raise Failed(f"{call}an action lies {a[np.argmin(a[:, 0] - a[:, 1])].round(3)}, more than c from what the actor says")


def smoothing_stream(get):
    """The noise comes from the agent's generator for it, and from no other"""
    (one, batch), (two, _) = small(get, target_policy_noise=0.2), small(get, target_policy_noise=0.2)
    before = [str(rng.bit_generator.state) for rng in (one.explore, one.draws)]
    first, second = (one.target_actions(batch.next_observation) for _ in range(2))
    expect(two.target_actions(batch.next_observation), first, "two agents of the same seed: the first target actions of the second, which")
    if (first == second).all():
        raise Failed("target_actions called twice gave the same actions: the noise must be drawn anew each time")
    if [str(rng.bit_generator.state) for rng in (one.explore, one.draws)] != before:
        raise Failed("target_actions drew from self.explore or self.draws: the noise is self.smoothing's, so that exploration and minibatches stay as they are")


def probe_smoothing(f, get):
    """Facts of the noise that no seed changes: kinds, limits, sizes to one digit."""
    made, _ = small(get, target_policy_noise=0.1, target_noise_clip=10.0)
    made.target_actor.theta *= 1e-3
    s2 = np.full((4_000, 2), 0.5)

    def noise(**changes):
        vars(made).update(changes)
        return np.asarray(f(made, s2) - made.target_actor(s2))

    wide, narrow = noise(), noise(target_noise_clip=0.05)
    far = np.abs(np.asarray(f(made, s2)) + noise(target_policy_noise=2.0, target_noise_clip=4.0)).max() > 2.5
    untouched = str(made.explore.bit_generator.state) == str(small(get)[0].explore.bit_generator.state)
    single, batch = small(get, dtype=np.float32, target_policy_noise=0.1)
    online = np.abs(f(small(get)[0], batch.next_observation.astype(np.float64)) - small(get)[0].target_actor(batch.next_observation.astype(np.float64))).max() > 1e-9
    return np.array([*wide.shape, len(np.unique(wide[:, 0])) > 1, np.allclose(wide[:, 0], wide[:, 1], atol=1e-2), round(wide.std() / 0.1, 1) if len(np.unique(wide)) > 9 else 0,
                     round(narrow.max(), 2), round(narrow.min(), 2) if narrow.min() > -0.06 else -1, far, untouched, online, f(single, batch.next_observation).dtype == np.float32], float)  # fmt: skip


def smoothing_symptom(get):
    """TD3 on the pendulum: the target of one batch, drawn again and again; and how the critics' loss jumps."""
    agent = get("rl.td3:TD3")(get("rl.envs:Pendulum")(), 0, batch_size=128, tau=0.01, reward_scale=0.1)
    agent.learn(5_000)
    batch = agent.replay.sample(128, np.random.default_rng(0))
    y = np.array([agent.targets(batch) for _ in range(400)]) / agent.reward_scale  # (400, 128)
    mean = y.mean(axis=1) - y.mean()
    return {
        "figures": {"standard deviation of the target y of one transition": y.std(axis=0).mean(),
                    "standard deviation of the mean y of a batch": mean.std(),
                    "correlation of the y of two transitions": (mean.var() * 128 / y.var(axis=0).mean() - 1) / 127},
        "x": list(range(60)), "y": mean[:60], "xlabel": "draw of the noise, the batch being the same", "ylabel": "mean y of the batch, minus its average (return)", "log": "",
    }  # fmt: skip


NORMAL, CLIPPED = "self.smoothing.standard_normal(a.shape, self.dtype)  # (B, m)", "np.clip(epsilon, -self.target_noise_clip, self.target_noise_clip)"
SMOOTHING = Exercise(
    id="bug-shared-noise",
    title="noise that does not average out",
    target="rl.td3:TD3.target_actions",
    kind="spot the bug",
    minutes=15,
    difficulty=2,
    read="the docstring of rl/td3.py, its second change",
    task="In a much read TD3 of one file this went unseen for long: nothing raises, and the agent learns about as well. Rebuilt here, 5,000 steps into the "
         "pendulum: draw the targets y of one batch of 128 transitions again and again, so that nothing changes but the smoothing noise. The y of one transition has a "
         "standard deviation of .29, with the right code .25. But the *mean* y of the batch has .120, with the right code .030, and the y of any two transitions have a correlation of .08 where "
         "they should have none: the critic is pushed up and down as a whole, and a larger batch does not help.\nMend `target_actions`: next observations s2 (B, n) -> "
         "actions (B, m) in -1 ... 1, in the type of the agent, self.dtype. What self.target_actor says, plus noise of standard deviation self.target_policy_noise that is clipped to "
         "-c ... c, c = self.target_noise_clip, the sum clipped to -1 ... 1. The noise comes from the generator self.smoothing.",
    check=(smoothing_none, smoothing_noise, smoothing_inside, smoothing_stream),
    probe=probe_smoothing,
    hints=(
        "A batch of 128 pendulums: how many numbers does the generator draw for it, and how many should it?",
        "a~ = clip(mu'(s') + clip(eps, -c, c), -1, 1) with eps ~ N(0, sigma^2), one eps for each transition and each dimension: (B, m).",
        "a = target_actor(s2); eps = sigma * standard_normal(a.shape, dtype); return clip(a + clip(eps, -c, c), -1, 1)",
    ),
    why="With noise of its own for each transition the mean over the batch averages it away, which is the point of smoothing. Shapes that broadcast hide the mistake: a + epsilon is (B, m) "
        "either way, and the agent even learns, so only a look at the numbers finds it.",
    bug="shared_by_batch",
    equivalent={"a + np.clip(epsilon, -self.target_noise_clip, self.target_noise_clip) -> a - np.clip(epsilon, -self.target_noise_clip, self.target_noise_clip)":
                "the noise is symmetric"},
    symptom=smoothing_symptom,
    wrong={
        "shared_by_batch": (((NORMAL, NORMAL.replace("a.shape", "a.shape[1:]").replace("  # (B, m)", "")),), "one noise (m,) serves the whole batch: every transition needs its own, (B, m)."),
        "shared_by_dimensions": (((NORMAL, NORMAL.replace("a.shape", "(len(a), 1)").replace("  # (B, m)", "")),), "one noise serves all dimensions of an action: each needs its own."),
        "one_number": (((NORMAL, NORMAL.replace("a.shape", "1").replace("  # (B, m)", "")),), "a single number serves all transitions and all dimensions."),
        "variance": (((NORMAL, "self.target_policy_noise * " + NORMAL),), "the noise is multiplied by sigma twice: sigma is its standard deviation."),
        "unit_noise": ((("self.target_policy_noise * ", ""),), "sigma is missing: the noise is N(0, 1), and nearly all of it is clipped."),
        "uniform": (((NORMAL, "self.smoothing.uniform(-1, 1, a.shape).astype(self.dtype)"),), "the noise is uniform, and its standard deviation only .58 sigma: it is to be normal."),
        "not_clipped": (((CLIPPED, "epsilon"),), "the noise is not clipped to -c ... c: a rare one reaches far from what the actor says."),
        "clipped_above_only": (((CLIPPED, "np.minimum(epsilon, self.target_noise_clip)"),), "the noise is clipped above only: -c is missing."),
        "leaves_the_space": ((("return np.clip(a + " + CLIPPED + ", -1, 1)", "return a + " + CLIPPED),), "the sum is not clipped: actions beyond -1 ... 1 are none, and the critic was never asked about them."),
        "sum_clipped_to_c": ((("return np.clip(a + " + CLIPPED + ", -1, 1)", "return np.clip(a + epsilon, -self.target_noise_clip, self.target_noise_clip)"),), "the action is clipped to -c ... c: that is for the noise."),
        "online_actor": ((("self.target_actor(s2)", "self.actor(s2).data"),), "the online actor acts here: the slow one was meant."),
        "float64": (((NORMAL, "self.smoothing.standard_normal(a.shape)"),), "the noise is float64, and all that is made with it becomes float64, too: draw it in self.dtype."),
        "exploration": (((NORMAL, NORMAL.replace("smoothing", "explore")),), "the noise is drawn from self.explore: then the smoothing changes which actions are explored."),
    },
    right={
        "normal": """\
def target_actions(self, s2):
    mean = self.target_actor(s2)
    c = self.target_noise_clip
    noise = self.smoothing.normal(0, self.target_policy_noise, mean.shape).clip(-c, c)
    return np.minimum(1, np.maximum(-1, mean + noise)).astype(self.dtype)
""",
        "one_by_one": """\
def target_actions(self, s2):
    a = self.target_actor(s2).copy()
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            noise = self.smoothing.normal() * self.target_policy_noise
            noise = max(-self.target_noise_clip, min(self.target_noise_clip, noise))
            a[i, j] = max(-1.0, min(1.0, a[i, j] + noise))
    return a
""",
    },
)  # fmt: skip

EXERCISES = (TARGET, DELAY, SMOOTHING)
