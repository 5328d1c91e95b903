r"""Exercises over rl/."""

import numpy as np

from .exercise import Exercise, Failed, expect

# A small process by hand: state 2 is terminal; action 0 stays (reward -1), action 1 goes on (reward 1 or 5).
P = np.zeros((3, 2, 3))
P[0, 0, 0] = P[0, 1, 1] = P[1, 0, 1] = P[1, 1, 2] = P[2, :, 2] = 1
R = np.array([[-1.0, 1.0], [-1.0, 5.0], [0.0, 0.0]])

# ---- the value of a policy


def values_by_hand(get):
    """By hand, with and without discount"""
    state_values, mdp, on = get("rl.mdp:state_values"), get("rl.mdp:MDP")(P, R), np.tile([0.0, 1.0], (3, 1))
    expect(state_values(mdp, on, 0.5), np.array([3.5, 5.0, 0.0]), "state_values of 'always go on' (1, then 5, then the end), gamma = 0.5")
    expect(state_values(mdp, on, 1.0), np.array([6.0, 5.0, 0.0]), "the same with gamma = 1: the terminal state's value is 0")


def values_random(get):
    """Against many sweeps of the equation itself, in a random process"""
    rng = np.random.default_rng(0)
    mdp = get("rl.mdp:MDP")(rng.dirichlet(np.ones(4), (4, 3)), rng.standard_normal((4, 3)))
    policy = rng.dirichlet(np.ones(3), 4)
    v = np.zeros(4)
    for _ in range(2000):
        v = np.einsum("sa,sa->s", policy, mdp.R + 0.9 * mdp.P @ v)
    state_values = get("rl.mdp:state_values")
    expect(state_values(mdp, policy, 0.9), v, "state_values of a random policy in a random process, gamma = 0.9", rtol=1e-8)
    expect(state_values(mdp, policy, 0.0), (policy * mdp.R).sum(axis=1), "the same with gamma = 0: the expected reward")


STATE_VALUES = Exercise(
    id="state-values",
    title="the value of a policy in closed form",
    target="rl.mdp:state_values",
    kind="rebuild",
    minutes=25,
    difficulty=2,
    read="rl/mdp.py, the notation and `under`, which gives P_π and r_π",
    task="v (S,) of a policy (S, A). `under(mdp, policy)` gives P_π (S, S) and r_π (S,); mdp.terminal (S,) says where v is 0.\n"
         "Without discount the whole system is singular: solve it for the other states only.",
    equivalent={"P_pi > 0 -> P_pi >= 0": "it only decides which processes are refused at gamma = 1, and none of those is asked "
                                         "for"},
    formula=("v (S,) in closed form: v = r_π + γ P_π v, so v = (I − γ P_π)⁻¹ r_π.    (Zhao, section 2.7)",),
    check=(values_by_hand, values_random),
    probe=lambda f, get: np.concatenate([f(get("rl.mdp:MDP")(P, R), np.full((3, 2), p), gamma) for p, gamma in ((0.5, 0.5), (0.5, 1.0))] + [f(get("rl.mdp:MDP")(P, R), np.tile([0.999, 0.001], (3, 1)), 1.0)]),
    hints=(
        "The value of a state is the reward now and the discounted value of where you are then. Which linear system is that?",
        "v = r_pi + gamma P_pi v, so (I - gamma P_pi) v = r_pi.",
        "P_pi, r_pi = under(mdp, policy); going = ~mdp.terminal; v = zeros; v[going] = np.linalg.solve(...)",
    ),
    why="The library also checks the policy and gamma, and for gamma = 1 that the end can be reached from everywhere.",
    wrong={
        "hundred_sweeps": ("""\
def state_values(mdp, policy, gamma):
    P_pi, r_pi = under(mdp, policy)
    v = np.zeros(mdp.n_states)
    for _ in range(100):
        v = np.where(mdp.terminal, 0.0, r_pi + gamma * P_pi @ v)
    return v
""",
                           "a hundred sweeps are not enough: after k of them gamma^k of the way is left. Solve the equations, "
                           "or go on until nothing changes."),
        "least_squares": ("""\
def state_values(mdp, policy, gamma):
    P_pi, r_pi = under(mdp, policy)
    v = np.linalg.lstsq(np.eye(mdp.n_states) - gamma * P_pi, r_pi, rcond=None)[0]
    v[mdp.terminal] = 0
    return v
""",
                          "without discount the whole system has many solutions, and this is the shortest of them: leave the "
                          "terminal states out before solving, not afterwards."),
        "forgets_gamma": ((("np.eye(going.sum()) - gamma * P_pi", "np.eye(going.sum()) - P_pi"),), "gamma is missing."),
        "transposed": ((("gamma * P_pi[np.ix_(going, going)], r_pi", "gamma * P_pi[np.ix_(going, going)].T, r_pi"),),
                       "P is transposed: row s says where s leads to, not where it comes from."),
        "sign_flipped": ((("np.eye(going.sum()) - gamma", "np.eye(going.sum()) + gamma"),), "the sign of gamma P is flipped: v = r + gamma P v."),
        "reward_after": ((("r_pi[going])\n    return v", "gamma * r_pi[going])\n    return v"),), "the first reward is discounted: the return is r1 + gamma r2 + ..."),
        "one_step": ((("np.linalg.solve(np.eye(going.sum()) - gamma * P_pi[np.ix_(going, going)], r_pi[going])",
                       "r_pi[going] + gamma * P_pi[np.ix_(going, going)] @ r_pi[going]"),), "two rewards only: the sum goes on."),
    },
    right={
        "sweeps": """\
def state_values(mdp, policy, gamma):
    P_pi, r_pi = under(mdp, policy)
    v = np.zeros(mdp.n_states)
    for _ in range(100_000):
        new = np.where(mdp.terminal, 0.0, r_pi + gamma * P_pi @ v)
        if np.abs(new - v).max() < 1e-14:
            break
        v = new
    return new
""",
        "inverse": """\
def state_values(mdp, policy, gamma):
    P_pi, r_pi = under(mdp, policy)
    keep = ~mdp.terminal
    M = np.linalg.inv(np.eye(mdp.n_states) - gamma * P_pi * keep[:, None] * keep[None, :])
    return M @ (r_pi * keep)
""",
    },
)  # fmt: skip

# ---- DDPG's target


def agent(get, **keywords):
    """A small DDPG agent on Pendulum, in float64, and a batch of which every second transition is terminated."""
    DDPG, Pendulum, Batch = get("rl.ddpg:DDPG"), get("rl.envs:Pendulum"), get("rl.replay:Batch")
    made = DDPG(Pendulum(), 0, hidden=(8,), batch_size=4, dtype=np.float64, **{"gamma": 0.9} | keywords)
    rng = np.random.default_rng(0)
    for name in ("target_actor", "target_critic"):  # so that targets and online networks differ
        theta = getattr(made, name).theta
        theta += 0.5 * rng.standard_normal(theta.shape)
    s, s2 = rng.uniform(-1, 1, (2, 6, 3))
    return made, Batch(s, rng.uniform(-1, 1, (6, 1)), rng.standard_normal(6), s2, np.arange(6) % 2.0)


def targets_ended(get):
    """Where the world ended; an array, not a Tensor"""
    made, batch = agent(get)
    y = made.targets(batch)
    if not isinstance(y, np.ndarray):
        raise Failed(f"targets(batch) returned a {type(y).__name__}: it must be an array, a constant that no gradient enters")
    expect(y[1::2], batch.reward[1::2], "targets(batch), where terminated is 1: nothing follows, so y = r")


def targets_going_on(get):
    """Where it goes on: the slow copies, at the next observation"""
    made, batch = agent(get)
    s2 = batch.next_observation
    q = made.target_critic(np.concatenate([s2, made.target_actor(s2)], axis=1))
    y = made.targets(batch)
    expect(y[::2], batch.reward[::2] + 0.9 * q[::2], "targets(batch), where terminated is 0: y = r + gamma Q'(s', mu'(s'))")
    expect(y, batch.reward + 0.9 * (1 - batch.terminated) * q, "targets(batch)")


TARGETS = Exercise(
    id="ddpg-target",
    title="the target of DDPG",
    target="rl.ddpg:DDPG.targets",
    kind="rebuild",
    minutes=20,
    difficulty=2,
    read="the docstring of rl/ddpg.py; Batch in rl/replay.py",
    task="The target y (B,) of line 11 of Algorithm 1 for a Batch. `pair(s, a)` puts observations and actions side by side.",
    formula=("Line 11: y = r + γ (1 − terminated) Q'(s', μ'(s')), (B,), in bare NumPy: the targets' weights are plain arrays.",),
    check=(targets_ended, targets_going_on),
    probe=lambda f, get: f(*agent(get)),
    hints=(
        "What is worth how much after the world has ended? And after somebody has only stopped the clock?",
        "y = r + gamma (1 - terminated) Q'(s', mu'(s')).",
        "a = target_actor(s'); q = target_critic(pair(s', a)); return reward + gamma * (1 - terminated) * q",
    ),
    why="The target networks hold plain arrays, so this runs in bare NumPy: no gradient can reach them, by construction.",
    wrong={
        "online_actor": ((("self.target_actor(batch.next_observation)", "self.actor(batch.next_observation).data"),), "the online actor says what to do at s'; the target's own, slow actor was meant."),
        "online_critic": ((("self.target_critic(pair(batch.next_observation, a))", "self.critic(pair(batch.next_observation, a)).data"),), "the online critic judges s'; the slow one was meant."),
        "terminal_reward_lost": ((("return batch.reward + ", "return (1 - batch.terminated) * batch.reward + "),), "where the world ended the reward is lost, too: it was still paid."),
        "discounts_reward": ((("batch.reward + self.gamma", "self.gamma * batch.reward + self.gamma"),), "the reward is discounted, too: it comes now."),
        "bootstraps_through_terminal": ((("self.gamma * (1 - batch.terminated) * q", "self.gamma * q"),),
                                        "it bootstraps through the end of the world: where terminated is 1, y is r alone."),
        "terminated_inverted": ((("(1 - batch.terminated)", "batch.terminated"),), "the flag is inverted: the future counts where it has *not* ended."),
        "online_networks": ((("self.target_actor(", "self.actor("), ("self.target_critic(", "self.critic("), ("* q", "* q.data"),
                             ("  # (B, m)\n", ".data  # (B, m)\n")), "the online networks make the target: it then moves with every step that chases it."),
        "present_observation": ((("self.target_actor(batch.next_observation)", "self.target_actor(batch.observation)"),
                                 ("pair(batch.next_observation, a)", "pair(batch.observation, a)")), "Q' is asked about s, not about s'."),
        "forgets_gamma": ((("self.gamma * (1", "(1"),), "gamma is missing."),
        "action_of_the_batch": ((("pair(batch.next_observation, a)", "pair(batch.next_observation, batch.action)"),),
                                "the action of the batch was taken at s; at s' the target actor says what to do."),
    },
    right={
        "where": """\
def targets(self, batch):
    follow = self.target_critic(pair(batch.next_observation, self.target_actor(batch.next_observation)))
    return np.where(batch.terminated > 0, batch.reward, batch.reward + self.gamma * follow)
""",
        "in_place": """\
def targets(self, batch):
    s2 = batch.next_observation
    y = self.target_critic(np.hstack([s2, self.target_actor(s2)]))
    y = y * self.gamma
    y[batch.terminated == 1] = 0
    return y + batch.reward
""",
    },
)  # fmt: skip

# ---- Polyak averaging, a compiled kernel


def polyak_by_hand(get):
    """By hand, in place, theta unchanged"""
    theta, target = np.array([1.0, -2.0, 4.0]), np.array([0.0, 2.0, 8.0])
    get("rl.ddpg:polyak")(theta, target, 0.25)
    expect(target, np.array([0.25, 1.0, 7.0]), "theta' after polyak([1, -2, 4], theta' = [0, 2, 8], tau = 0.25): it is changed in place, and")
    expect(theta, np.array([1.0, -2.0, 4.0]), "theta after polyak(theta, theta', 0.25): it must stay as it is")


def polyak_many(get):
    """Five steps in closed form, the two ends of tau, float32"""
    polyak, rng = get("rl.ddpg:polyak"), np.random.default_rng(0)
    for tau in (0.0, 0.1, 1.0):
        theta, target = rng.standard_normal((2, 40))
        want = (1 - tau) ** 5 * target + (1 - (1 - tau) ** 5) * theta
        for _ in range(5):
            polyak(theta, target, tau)
        expect(target, want, f"theta' after five times polyak(theta, theta', {tau})")
    theta, target = np.ones((2, 5), np.float32)
    polyak(theta, target, np.float32(0.5))
    expect(target, np.ones(5, np.float32), "polyak of ones and ones in float32")


def probe_polyak(function, get):
    """θ and θ' after one step."""
    theta, target = np.array([1.0, -2.0, 4.0]), np.array([0.0, 2.0, 8.0])
    function(theta, target, 0.25)
    return np.concatenate([theta, target])


POLYAK = Exercise(
    id="polyak",
    title="targets that follow slowly, as a compiled kernel",
    target="rl.ddpg:polyak",
    kind="rebuild",
    minutes=15,
    difficulty=1,
    read="rl/ddpg.py, line 14 of Algorithm 1; `adam` in minigrad/kernels.py, for how a kernel looks",
    task="Move theta_target towards theta, in place, in one loop over all numbers. It is compiled: write plain loops, return "
         "nothing.",
    formula=("θ' ← τ θ + (1 − τ) θ', in place and in one pass; τ has the arrays' type",),
    check=(polyak_by_hand, polyak_many),
    probe=probe_polyak,
    hints=(
        "What should tau = 1 give, and what tau = 0?",
        "theta' <- tau theta + (1 - tau) theta'.",
        "for i in range(theta.size): theta_target[i] = tau * theta[i] + (1 - tau) * theta_target[i]",
    ),
    why="The library writes theta.dtype.type(1) - tau: a plain 1 is a float64 in numba, and a kernel over float32 would run at "
        "half its speed.",
    wrong={
        "not_in_place": ("""\
def polyak(theta, theta_target, tau):
    theta_target = tau * theta + (1 - tau) * theta_target
""", "theta_target is bound to a new array inside the function: the caller's array must change, in place."),
        "one_minus_swapped_in_part": ((("(theta.dtype.type(1) - tau) * theta_target[i]", "tau * theta_target[i]"),), "tau stands where 1 - tau was meant: the weights do not sum to 1."),
        "swapped": ((("tau * theta[i] + (theta.dtype.type(1) - tau) * theta_target[i]", "tau * theta_target[i] + (theta.dtype.type(1) - tau) * theta[i]"),),
                    "tau and 1 - tau are swapped: the target would follow at once."),
        "copies": ((("tau * theta[i] + (theta.dtype.type(1) - tau) * theta_target[i]", "theta[i]"),), "a plain copy: that is tau = 1."),
        "adds": ((("(theta.dtype.type(1) - tau) * theta_target[i]", "theta_target[i]"),), "(1 - tau) is missing: the target grows without end."),
        "moves_theta": ((("theta_target[i] = tau", "theta[i] = tau"),), "theta is changed, not theta_target."),
        "off_by_one": ((("range(theta.size)", "range(theta.size - 1)"),), "the last number is left out."),
        "minus": ((("tau * theta[i] + (", "tau * theta[i] - ("),), "a minus stands where a plus was meant."),
    },
    right={
        "towards": """\
def polyak(theta, theta_target, tau):
    for i in range(theta.size):
        theta_target[i] += tau * (theta[i] - theta_target[i])
""",
        "slices": """\
def polyak(theta, theta_target, tau):
    theta_target[:] = tau * theta + (1 - tau) * theta_target
""",
        "helper": """\
def mix(a, b, tau):
    return tau * a + (1 - tau) * b


mix = jit(mix)


def polyak(theta, theta_target, tau):
    for i in range(len(theta)):
        theta_target[i] = mix(theta[i], theta_target[i], tau)
""",
    },
)  # fmt: skip

# ---- the replay ring


def add_counts(get):
    """The length of the ring"""
    replay = get("rl.replay:Replay")(4, 1, 1)
    for i in range(6):
        replay.add([i], [-i], 10 * i, [i + 1], i % 2)
        expect(len(replay), min(i + 1, 4), f"len(replay) of a ring of 4 after {i + 1} times add")


def add_holds(get):
    """What is held after six, in which place; copies"""
    replay, s = get("rl.replay:Replay")(4, 1, 1), np.zeros(1)
    for i in range(6):
        s[0] = i
        replay.add(s, [-i], 10 * i, s + 1, i % 2)
    held = "after add of the transitions 0 ... 5 to a ring of 4, the places hold the"
    expect(replay.ring.reward, np.float32([40, 50, 20, 30]), f"{held} rewards, which")
    expect(replay.ring.observation[:, 0], np.float32([4, 5, 2, 3]), f"{held} observations, which")
    expect(replay.ring.next_observation[:, 0], np.float32([5, 6, 3, 4]), f"{held} next observations, which")
    expect(replay.ring.action[:, 0], np.float32([-4, -5, -2, -3]), f"{held} actions, which")
    expect(replay.ring.terminated, np.float32([0, 1, 0, 1]), f"{held} flags, which")


def probe_add(function, get):
    """The rewards and observations that a ring of four holds after six transitions."""
    replay = get("rl.replay:Replay")(4, 1, 1)
    for i in range(6):
        function(replay, [i], [-i], 10 * i, [i + 1], i % 2)
    return np.concatenate([replay.ring.reward, *(column.ravel() for column in replay.ring), [replay.count]])


ADD = Exercise(
    id="replay-add",
    title="a ring that overwrites the oldest",
    target="rl.replay:Replay.add",
    kind="rebuild",
    minutes=15,
    difficulty=1,
    read="rl/replay.py: Batch, and __init__ and __len__ of Replay",
    task="Copy one transition into the ring: self.ring is a Batch of arrays with self.capacity rows, self.count counts all "
         "ever added.",
    check=(add_counts, add_holds),
    probe=probe_add,
    hints=(
        "Which row does the fifth transition go to, in a ring of four?",
        "Row self.count % self.capacity; then count one more.",
        "i = count % capacity; ring.observation[i] = observation; ... ; count += 1",
    ),
    why="An assignment into a row copies, so an environment that reuses its arrays cannot change what is stored.",
    wrong={
        "count_wraps": ((("self.count += 1", "self.count = (self.count + 1) % self.capacity"),), "the count itself wraps: it counts all transitions ever added, and the ring would look empty again."),
        "not_terminated": ((("next_observation, terminated)):", "next_observation, 1 - terminated)):"),), "the flag is stored inverted."),
        "grows_from_the_end": ((("i = self.count % self.capacity", "i = self.capacity - 1 - self.count % self.capacity"),), "the ring is filled from its end."),
        "never_wraps": ((("i = self.count % self.capacity", "i = min(self.count, self.capacity - 1)"),), "it does not wrap: the last row is overwritten again and again."),
        "counts_first": ((("i = self.count % self.capacity", "i = (self.count + 1) % self.capacity"),), "the row is one too far: the first transition goes to row 0."),
        "forgets_to_count": ((("self.count += 1", "pass"),), "nothing is counted: every transition goes to the same row."),
        "mixes_up": ((("(observation, action, reward, next_observation, terminated)):", "(next_observation, action, reward, observation, terminated)):"),),
                     "observation and next observation are mixed up."),
        "counts_twice": ((("self.count += 1", "self.count += 2"),), "two are counted for each one."),
    },
    right={
        "by_name": """\
def add(self, observation, action, reward, next_observation, terminated):
    row = self.count % self.capacity
    self.ring.observation[row], self.ring.action[row], self.ring.reward[row] = observation, action, reward
    self.ring.next_observation[row], self.ring.terminated[row] = next_observation, terminated
    self.count = self.count + 1
""",
        "divmod": """\
def add(self, *transition):
    _, row = divmod(self.count, self.capacity)
    for array, value in zip(self.ring, transition):
        array[row, ...] = np.asarray(value)
    self.count += 1
""",
    },
)  # fmt: skip

EXERCISES = (STATE_VALUES, ADD, TARGETS, POLYAK)
