r"""Exercises over DQN."""

import numpy as np

from .exercise import Exercise, Failed, expect


def agent(get, **keywords):
    """A small DQN agent on cart pole, in float64, copy and network apart, and a batch of which every second step is terminated."""
    DQN, CartPole, Batch = get("rl.dqn:DQN"), get("rl.envs:CartPole"), get("rl.replay:Batch")
    made = DQN(CartPole(), 0, hidden=(8,), batch_size=4, dtype=np.float64, **{"gamma": 0.9} | keywords)
    rng = np.random.default_rng(0)
    made.target.theta += rng.standard_normal(made.target.theta.shape)
    s, s2 = rng.uniform(-1, 1, (2, 10, 4))
    return made, Batch(s, rng.integers(2, size=(10, 1)) * 1.0, rng.standard_normal(10), s2, np.arange(10) % 2.0)


def values(theta, s):
    """Q(s, .) of such an agent in plain NumPy: (B, 2)"""
    W, b, V, c = np.split(np.asarray(theta), [32, 40, 56])
    return np.maximum(s @ W.reshape(8, 4).T + b, 0) @ V.reshape(2, 8).T + c


# ---- the target of DQN and of double DQN


def three(get, **keywords):
    """A small agent on mountain car, three actions, copy and network apart, and a batch of 12 steps, every second one terminated."""
    DQN, MountainCar, Batch = get("rl.dqn:DQN"), get("rl.envs:MountainCar"), get("rl.replay:Batch")
    made = DQN(MountainCar(), 0, hidden=(8,), batch_size=4, dtype=np.float64, gamma=0.9, **keywords)
    rng = np.random.default_rng(1062)  # of which all three actions are the best somewhere, by either network, at s and at s'
    for theta in (made.target.theta, made.network.theta.data):
        theta[...] = rng.standard_normal(theta.shape)
    s, s2 = rng.uniform(-2, 2, (2, 12, 2))
    return made, Batch(s, rng.integers(3, size=(12, 1)) * 1.0, rng.standard_normal(12), s2, np.arange(12) % 2.0)


def values3(theta, s):
    """Q(s, .) of such an agent in plain NumPy: (B, 3)"""
    W, b, V, c = np.split(np.asarray(theta), [16, 24, 48])
    return np.maximum(s @ W.reshape(8, 2).T + b, 0) @ V.reshape(3, 8).T + c


def targets_ended(get):
    """Where the world ended; an array, not a Tensor"""
    for double in (False, True):
        made, batch = three(get, double=double)
        y = made.targets(batch)
        if not isinstance(y, np.ndarray):
            raise Failed(f"targets(batch) with double={double} returned a {type(y).__name__}: it must be an array, a constant that no gradient enters")
        if y.shape != (12,):
            raise Failed(f"targets(batch) with double={double}, 12 transitions: y has shape {y.shape}, not (12,)")
        expect(y[1::2], batch.reward[1::2], f"targets(batch) with double={double}, where terminated is 1: nothing follows, so y = r")


def targets_plain(get):
    """DQN: the copy's maximum over the actions"""
    made, batch = three(get)
    q = values3(made.target.theta, batch.next_observation)
    want = [r + (0.0 if t else 0.9 * max(row)) for r, t, row in zip(batch.reward, batch.terminated, q)]
    expect(made.targets(batch), np.array(want), "targets(batch) with double=False: r + gamma max_a Q'(s', a)")


def targets_double(get):
    """Double DQN: the network chooses, the copy judges"""
    made, batch = three(get, double=True)
    online, slow = values3(made.network.theta.data, batch.next_observation), values3(made.target.theta, batch.next_observation)
    want = [r + (0.0 if t else 0.9 * row[o.argmax()]) for r, t, o, row in zip(batch.reward, batch.terminated, online, slow)]
    expect(made.targets(batch), np.array(want), "targets(batch) with double=True: r + gamma Q'(s', argmax_a Q(s', a))")


def probe_targets(f, get):
    """Both targets."""
    return np.concatenate([f(*three(get, double=double)) for double in (False, True)])


JUDGED = "taken(q, chooser.argmax(axis=1))"
TARGETS = Exercise(
    id="double-dqn-target",
    title="the target of DQN and of double DQN",
    target="rl.dqn:DQN.targets",
    kind="rebuild",
    minutes=25,
    difficulty=2,
    read="the docstring of rl/dqn.py; Batch in rl/replay.py",
    task="The target y (B,) for a Batch, an array. self.target(s) gives the values Q'(s, .) (B, A) of the copy, an array; "
         "self.network(s) those of the network that learns, a Tensor (its .data is the array). With self.double the target is "
         "that of double DQN, without it that of DQN. `taken(q, a)` picks from q (B, A) for each row the entry a (B,).",
    formula=("Line 13: y = r + γ (1 − terminated) Q'(s', a*), (B,), in bare NumPy: the target's weights are a plain array.",
             "a* = argmax_a' of Q'(s', ·), so that Q'(s', a*) is its maximum; in double DQN argmax_a' of Q(s', ·; θ)."),
    check=(targets_ended, targets_plain, targets_double),
    probe=probe_targets,
    hints=(
        "A maximum does two things: it chooses an action, and it says what that is worth. Which network does which?",
        "y = r + gamma (1 - terminated) Q'(s', a*); a* is the best action by Q', in double DQN the best by Q.",
        "q = target(s'); chooser = network(s').data if double else q; return r + gamma (1 - terminated) taken(q, chooser.argmax(axis=1))",
    ),
    why="A maximum over noisy guesses is too high on average. If another network judges the choice, its own errors did not "
        "help to choose. Written with argmax, both targets are one formula, and only the chooser differs.",
    wrong={
        "never_double": ((("if self.double:", "if False:"),), "with double=True the network chooses, not the copy."),
        "always_double": ((("if self.double:", "if True:"),), "with double=False the copy both chooses and judges: y has its maximum."),
        "roles_swapped": ((("chooser = self.network(batch.next_observation).data", "q = self.network(batch.next_observation).data"),),
                          "the two have changed places: the network is to choose, the copy to judge."),
        "online_judges": (((JUDGED, "taken(chooser, chooser.argmax(axis=1))"),), "the network both chooses and judges: the copy is to judge."),
        "over_the_batch": (((JUDGED, "q.max()"),), "the maximum is over the actions of each s', not over the whole batch."),
        "chosen_at_s": ((("self.network(batch.next_observation)", "self.network(batch.observation)"),), "in double DQN the action is chosen at s, not at s'."),
        "one_for_all": (((JUDGED, "q[:, chooser.sum(axis=0).argmax()]"),), "one action serves the whole batch: each s' has its own best one."),
        "least": (((JUDGED, "taken(q, chooser.argmin(axis=1))"),), "the action of the least value is chosen."),
        "action_of_the_batch": (((JUDGED, "taken(q, batch.action[:, 0].astype(int))"),), "the action of the batch was taken at s; at s' the best one counts."),
        "bootstraps_through_terminal": ((("(1 - batch.terminated) * ", ""),), "it bootstraps through the end of the world: where terminated is 1, y is r alone."),
        "terminated_inverted": ((("(1 - batch.terminated)", "batch.terminated"),), "the flag is inverted: the future counts where it has *not* ended."),
        "terminal_reward_lost": ((("return batch.reward + self", "return (1 - batch.terminated) * batch.reward + self"),), "where the world ended the reward is lost, too: it was still paid."),
        "forgets_gamma": ((("self.gamma * (1", "(1"),), "gamma is missing."),
        "present_observation": ((("q = self.target(batch.next_observation)", "q = self.target(batch.observation)"),), "Q' is asked about s, not about s'."),
    },
    right={
        "where": """\
def targets(self, batch):
    slow = self.target(batch.next_observation)
    if self.double:
        best = np.argmax(self.network(batch.next_observation).data, axis=1)
        follow = slow[np.arange(len(best)), best]
    else:
        follow = slow.max(axis=1)
    return np.where(batch.terminated > 0, batch.reward, batch.reward + self.gamma * follow)
""",
        "loop": """\
def targets(self, batch):
    y = batch.reward.copy()
    for i, s in enumerate(batch.next_observation):
        if batch.terminated[i]:
            continue
        slow = self.target(s[None])[0]
        judge = self.network(s[None]).data[0] if self.double else slow
        y[i] += self.gamma * slow[int(np.argmax(judge))]
    return y
""",
    },
)  # fmt: skip

# ---- how ε falls


def epsilon_by_hand(get):
    """By hand: before, at both corners, between, after"""
    f = get("rl.dqn:epsilon_at")
    for t, want in ((0, 1.0), (20, 1.0), (40, 0.84), (60, 0.68), (120, 0.2), (121, 0.2), (10**7, 0.2)):
        expect(f(t, 20, 100, 0.2), np.float64(want), f"epsilon_at({t}, start=20, steps=100, last=0.2)")


def epsilon_line(get):
    """A straight line, whatever its ends"""
    f = get("rl.dqn:epsilon_at")
    for start, steps, last in ((0, 10, 0.0), (7, 50, 0.05), (1000, 3, 1.0), (0, 1, 0.1)):
        fall = np.array([f(start + t, start, steps, last) for t in range(steps + 1)], float)
        expect(fall, np.linspace(1, last, steps + 1), f"epsilon_at(t, start={start}, steps={steps}, last={last}) for t = {start} ... {start + steps}")
        expect(f(start + 2 * steps, start, steps, last), np.float64(last), f"epsilon_at({start + 2 * steps}, {start}, {steps}, {last})")


RAMP = "min(max((t - start) / steps, 0), 1)"
EPSILON = Exercise(
    id="epsilon-schedule",
    title="from all random to nearly never",
    target="rl.dqn:epsilon_at",
    kind="rebuild",
    minutes=10,
    difficulty=1,
    read="lines 7 and 8 of the algorithm in the docstring of rl/dqn.py",
    task="The probability of a random action at step t (a number). For the first `start` steps it is 1 (nothing has been learned "
         "yet); from t = start to t = start + steps it falls in a straight line from 1 to `last`; then it is `last` for ever.",
    formula=("ε_t: 1 for the first `start` steps, from there in a straight line to `last` within `steps` more, then `last`.",),
    check=(epsilon_by_hand, epsilon_line),
    probe=lambda f, get: np.array([f(t, 30, 100, 0.2) for t in (0, 20, 40, 60, 100, 120, 130, 500)], float),
    hints=(
        "How far along the slope is step t, as a share of its length, and what is that share before and after it?",
        "x = (t - start) / steps, held between 0 and 1; epsilon = 1 + (last - 1) x.",
        "x = min(max((t - start) / steps, 0), 1); return 1 + (last - 1) * x",
    ),
    why="One clipped share serves all three parts. The library counts environment steps, not updates and not episodes: an "
        "episode's length changes with what is learned, and the schedule should not.",
    wrong={
        "no_end": (((RAMP, "max((t - start) / steps, 0)"),), "it goes on falling below `last`, at last below 0."),
        "no_beginning": (((RAMP, "min((t - start) / steps, 1)"),), "before `start` it is above 1: it should be 1."),
        "from_zero": (((RAMP, "min(max(t / steps, 0), 1)"),), "it falls from t = 0 on; the first `start` steps are all random."),
        "ends_at_steps": (((RAMP, "min(max((t - start) / (steps - start), 0), 1)"),), "`steps` is the length of the slope, not the step at which it ends."),
        "to_zero": ((("1 + (last - 1) * ", "1 - "),), "it falls to 0, not to `last`."),
        "floor": ((("return 1 + (last - 1) * " + RAMP, "return max(1 - " + RAMP + ", last)"),), "it falls towards 0 and is cut off at `last`, too early: the line should end at `last`."),
        "backwards": ((("1 + (last - 1) * ", "last + (1 - last) * "),), "it rises from `last` to 1."),
        "geometric": ((("1 + (last - 1) * " + RAMP, "last ** " + RAMP),), "it falls by a constant factor, not in a straight line."),
        "a_jump": (((RAMP, "float(t >= start + steps)"),), "it jumps at the end, and does not fall on the way."),
    },
    right={
        "interp": """\
def epsilon_at(t, start, steps, last):
    return float(np.interp(t, [start, start + steps], [1.0, last]))
""",
        "branches": """\
def epsilon_at(t, start, steps, last):
    if t <= start:
        return 1.0
    if t >= start + steps:
        return last
    left = start + steps - t
    return (left * 1.0 + (steps - left) * last) / steps
""",
    },
)  # fmt: skip

# ---- a copy that is none


def endless(get, **keywords):
    """An agent in one state that pays 1 for ever, both actions in the batch: (agent, batch)."""
    DQN, CartPole, Batch = get("rl.dqn:DQN"), get("rl.envs:CartPole"), get("rl.replay:Batch")
    made = DQN(CartPole(), 0, hidden=(8,), batch_size=2, **{"gamma": 0.9, "target_every": 200, "lr": 0.01} | keywords)
    made.network.theta.data[40:] = made.target.theta[40:] = 0  # the last layer: Q = 0 at first
    s = np.ones((2, 4), np.float32)
    return made, Batch(s, np.float32([[0], [1]]), np.ones(2, np.float32), s, np.zeros(2, np.float32))


def update_copy(get):
    """The copy: when it is made, and what it does between"""
    made, batch = agent(get, target_every=3, lr=0.01)
    held, when, equal = made.target.theta.copy(), [], True
    for update in range(1, 8):
        before = np.array(made.network.theta.data)
        made.update(batch)
        if np.allclose(made.network.theta.data, before, rtol=0, atol=1e-9):
            raise Failed(f"update(batch) number {update} does not move the weights of the network")
        if made.copies[0] is not made.target:
            raise Failed(f"after update {update}, target_every = 3: self.target is another object than before. self.copies, which is saved with the agent, "
                         "still holds the old one: write into the copy that there is")
        if np.shares_memory(made.target.theta, made.network.theta.data):
            raise Failed(f"after update {update}, target_every = 3: the weights of the copy and of the network are one array in memory")
        if not np.array_equal(made.target.theta, held):
            when.append(update)
            held = made.target.theta.copy()
            equal = equal and np.array_equal(held, made.network.theta.data)
    if when != [3, 6]:
        raise Failed(f"in 7 updates with target_every = 3 the copy changed after updates {when}, not after [3, 6]")
    if not equal:
        raise Failed("in 7 updates with target_every = 3 the copy changed after [3, 6], but not to the weights that the network then had")


def loss_of(theta, made, batch):
    """The loss of a network with the weights theta, the copy of `made` and gamma = .9, in plain NumPy."""
    y = batch.reward + 0.9 * (1 - batch.terminated) * values(made.target.theta, batch.next_observation).max(axis=1)
    return np.mean((values(theta, batch.observation)[np.arange(10), batch.action[:, 0].astype(int)] - y) ** 2)


def update_step(get):
    """The step: the loss before it, its own gradient, the schedule"""
    made, batch = agent(get, decay_steps=10, lr=0.01)
    for number in (1, 2):
        theta = made.network.theta.data.copy()
        slope = [(loss_of(theta + e, made, batch) - loss_of(theta - e, made, batch)) / 2e-6 for e in 1e-6 * np.eye(len(theta))]
        want = loss_of(theta, made, batch)
        expect(made.update(batch), np.float64(want), f"the loss that update(batch) number {number} returns")
        expect(made.network.theta.grad, np.array(slope), f"the gradient after update(batch) number {number}", rtol=1e-5, atol=1e-7)
        expect(made.optimizer.steps, np.int64(number), f"optimizer.steps after {number} update(s)")
        expect(made.optimizer.lr, np.float64(0.01 * (1 - number / 10)), f"the learning rate after {number} update(s) of 10, falling from 0.01 to 0")


def update_endless(get):
    """A world that pays 1 for ever: what k copies can know"""
    made, batch = endless(get)
    for k in range(1, 4):
        for _ in range(200):
            made.update(batch)
        expect(made.target(batch.observation)[0].mean(), np.float32((1 - 0.9**k) / 0.1),
               f"one state that pays 1 for ever, gamma = .9: what the copy says after {k} x 200 updates, target_every = 200", rtol=0.01)


def probe_update(f, get):
    """Seven updates: loss, learning rate, slope, copy, memory."""
    made, batch = agent(get, target_every=3, decay_steps=10, lr=0.01)
    numbers = []
    for i in range(7):
        made.steps = 2 * i
        loss = f(made, batch)
        grad, theta = np.asarray(made.network.theta.grad), np.asarray(made.network.theta.data)
        numbers += [loss, made.optimizer.lr, grad.sum(), theta.sum(), np.sum(made.target.theta), made.copies[0] is made.target, np.shares_memory(made.copies[0].theta, theta)]
    return np.array(numbers, float)


def update_symptom(get):
    """One state that pays 1 for ever: what Q knows after each 200 updates."""
    made, batch = endless(get)
    q = []
    for _ in range(30):
        for _ in range(200):
            made.update(batch)
        q.append(float(made.network(batch.observation).data[0].mean()))
    return {
        "figures": {"Q after 1 x 200 updates (exact: 1)": q[0], "Q after 2 x 200 updates (exact: 1.9)": q[1], "Q after 5 x 200 updates (exact: 4.10)": q[4],
                    "Q after 30 x 200 updates (exact: 9.58)": q[29]},
        "x": np.arange(1, 31), "y": q, "xlabel": "times 200 updates", "ylabel": "Q of the only state (units of reward)", "log": "",
    }  # fmt: skip


COPY = "self.target.theta[...] = self.network.theta.data"
DUE = "if self.optimizer.steps % self.target_every == 0:"
UPDATE = Exercise(
    id="bug-second-name",
    title="the target that learns too fast",
    target="rl.dqn:DQN.update",
    kind="spot the bug",
    minutes=15,
    difficulty=1,
    read="the docstring of rl/dqn.py; MLP.frozen in models/mlp.py",
    task="Many a first DQN has this bug, and many never learn of it: the pole may even stand. A smallest world shows it: one state "
         "that pays 1 for ever, gamma = .9, so that Q is to become 10. With a copy that stands still for 200 updates Q cannot "
         "know more after the first 200 than 1, after 400 than 1 + .9 = 1.9, after 1000 than 4.10, after 6000 than 9.58. With "
         "this bug it is 1.0000, then 9.9997, 10.0000 and 10.0000. (Here that is no harm. In a large world it is the very "
         "chase after a moving target that the copy is there to prevent.)\nMend `update`: lines 13 to 15 of the algorithm for a Batch; returns the loss, a number, as it was before the step. self.loss(batch) is "
         "that loss, a Tensor; self.schedules may hold a schedule of the learning rate, moved on once an update. "
         "self.optimizer.steps counts the updates; the copy changes at every self.target_every-th, after the step, and at no other. self.target stays the object that it is.",
    check=(update_copy, update_step, update_endless),
    probe=probe_update,
    hints=(
        "After the first 200 updates, how much of what the copy says can change before the next 200 are over?",
        "Q' <- Q means: the same numbers, in another array.",
        "every C updates: target.theta[...] = network.theta.data, which writes into the copy's own array",
    ),
    why="In Python `=` binds a name, it does not copy. The optimiser changes its array in place, so a second name for that "
        "array follows every step, and there is no target network at all. The library writes into the copy's array; its "
        "tests assert np.shares_memory.",
    bug="second_name",
    symptom=update_symptom,
    wrong={
        "second_name": (((COPY, "self.target.theta = self.network.theta.data"),), "the copy is a second name for the network's array: it follows every step from then on."),
        "another_object": (((COPY, "self.target = self.network.frozen()"),), "the copy is another object now, and self.copies, which is saved, holds the old one."),
        "every_update": (((DUE, "if True:"),), "the copy is made at every update: then it never stands still."),
        "never": (((DUE, "if False:"),), "the copy is never made: it is the network of the beginning for ever."),
        "one_early": (((DUE, "if (self.optimizer.steps + 1) % self.target_every == 0:"),), "the copy is made one update too early."),
        "environment_steps": (((DUE, "if self.steps % self.target_every == 0:"),), "it counts steps of the environment, not updates."),
        "backwards": (((COPY, "self.network.theta.data = self.target.theta"),), "it copies the wrong way: the network is thrown back to its copy."),
        "slowly": (((COPY, "self.target.theta += 0.5 * (self.network.theta.data - self.target.theta)"),), "it goes half the way; the copy must become the network."),
        "piles_up": ((("        self.optimizer.zero_grad()\n", ""),), "the gradient of the last update is still there, and is added to."),
        "no_schedule": ((("            schedule.step()\n", "            pass\n"),), "the schedule is not moved on: the learning rate stays."),
        "loss_after": ((("return loss.item()", "return self.loss(batch).item()"),), "the loss is computed anew after the step (and after the copy): the one before was meant."),
    },
    right={
        "copy": """\
def update(self, batch):
    self.optimizer.zero_grad()
    loss = self.loss(batch)
    loss.backward()
    self.optimizer.step()
    for schedule in self.schedules:
        schedule.step()
    updates = self.optimizer.steps
    if updates // self.target_every * self.target_every == updates:
        self.target.theta = np.array(self.network.theta.data)
    return float(loss.item())
""",
        "copyto": """\
def update(self, batch):
    loss = self.loss(batch)
    before = loss.item()
    self.optimizer.zero_grad()
    loss.backward()
    self.optimizer.step()
    [schedule.step() for schedule in self.schedules]
    if not self.optimizer.steps % self.target_every:
        np.copyto(self.target.theta, self.network.theta.data)
    return before
""",
    },
)  # fmt: skip

EXERCISES = (TARGETS, EPSILON, UPDATE)
