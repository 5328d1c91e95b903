r"""What holds DDPG up? Take away one piece at a time and watch it fall.

The question. Target networks, a replay buffer, a target without gradient: each looks like a detail. What does each do?

The formula. The critic chases a target that it makes itself: y = r + γ Q'(s', μ'(s')), L = mean (y − Q(s, a))². Three pieces
keep that chase from running in circles, and here are four agents, equal but for one of them:

    as it is               y by copies that follow slowly (τ = 0.01), batches from all that was ever seen, y a constant
    no target networks     τ = 1: y by the newest weights, so each step up at s' moves the goal of s up, too
    no replay              batches from the last 128 steps only: less than one episode, all alike
    gradient into target   y by the newest weights, and L's gradient flows into y as well: the residual gradient

The last *is* the true gradient of L, and yet wrong: L can also be made small by pulling Q(s', ·) to where Q(s, a) is
now. What a step costs then spreads forward in time as well as back, and a good state is made to look as bad as the bad
one that leads to it.

What to notice in the picture. Left: the return of noise-free episodes, mean and band over three seeds. Right: what the
critic believes that the starts are worth; the dashed line is what the first agent really gets in the end (discounted). Who
trusts its own newest guess falls to −450 within 500 updates, swings by hundreds until step 6,000, and stays far below that line. Who
forgets all but the last 128 steps learns late, each seed at another time, and may lose it again. Who lets the gradient
into the target comes to rest within 2,000 updates, at a sad conclusion that is true of itself: it gives up, and gets what
it expects (a belief counts the time after the clock, too). The healthy critic is no oracle either: in the end it believes
−97 and gets −127.

The common mistake. To look at the critic's loss for a sign of health. In the table the healthy agent has neither the
smallest loss (that is the forgetful one, which knows its 128 steps by heart) nor even a smaller one than the agent whose
gradient leaks, since to make L small is all that this one does.

    python -m examples.ddpg_ablation         about a minute and a half; writes figures/ddpg_ablation.png
"""

import numpy as np
from matplotlib.figure import Figure

from minigrad import Tensor, no_grad
from minigrad.plot import GREY, save
from rl import plot
from rl.ddpg import DDPG, pair
from rl.envs import Pendulum

from .command import options, table
from .ddpg_pendulum import SETTINGS, believed


class LeakingTarget(DDPG):
    """The target is made by the online critic, and the gradient flows into it."""

    def critic_step(self, batch):
        """One step down on mean (r + γ Q(s', μ(s')) − Q(s, a))², by the gradient of all of it."""
        with no_grad():
            a = self.actor(batch.next_observation).data
        next_q = self.critic(Tensor(pair(batch.next_observation, a)))
        y = next_q * (self.gamma * (1 - batch.terminated)) + batch.reward
        error = self.critic(Tensor(pair(batch.observation, batch.action))) - y
        loss = (error * error).mean()
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()


VARIANTS = {  # name -> class, what it changes
    "as it is": (DDPG, {}),
    "no target networks": (DDPG, {"tau": 1.0}),
    "no replay": (DDPG, {"capacity": SETTINGS["batch_size"]}),
    "gradient into target": (LeakingTarget, {}),
}


def look(agent, episodes, first):
    """(mean return, mean discounted return, mean belief Q(s₀, μ(s₀))) over noise-free episodes, in real units."""
    env, rows = Pendulum(), []
    for i in range(episodes):
        observation, _ = env.reset(seed=first + i)
        belief = believed(agent, observation[None])[1][0]
        total, discounted, weight, done = 0.0, 0.0, 1.0, False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
            total, discounted, weight = total + reward, discounted + weight * reward, weight * agent.gamma
            done = terminated or truncated
        rows.append((total, discounted, belief))
    return np.mean(rows, axis=0)


def run(name, seed, steps, every, episodes, settings):
    """Looks (T, 3) of one agent while it learns, and its mean loss over the last 100 batches."""
    kind, changes = VARIANTS[name]
    agent, looks = kind(Pendulum(), seed, **(settings | changes)), []
    for _ in range(steps // every):
        agent.learn(every)
        looks.append(look(agent, episodes, 40_000))
    losses = [agent.critic_step(agent.replay.sample(agent.batch_size, agent.draws)) for _ in range(100)]
    return np.array(looks), np.mean(losses)


def draw(steps, looks, truth):
    """Returns on the left, beliefs on the right; returns one of the Axes."""
    figure = Figure((10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    returns, beliefs = ({name: (steps, a[:, :, k]) for name, a in looks.items()} for k in (0, 2))
    plot.learning_curves(returns, left, ylabel="return of an episode", title="what it gets")
    plot.learning_curves(beliefs, right, ylabel="Q(s, μ(s)) at the starts", title="what the critic believes")
    right.axhline(truth, color=GREY, linestyle="--", linewidth=1)
    handles, labels = left.get_legend_handles_labels()
    left.get_legend().remove()
    right.get_legend().remove()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return left


def main():
    """Run all variants and seeds, print the table, save the figure."""
    chosen = options(__doc__)
    seeds, steps, every, episodes = range(chosen.seed, chosen.seed + 3), 10_000, 500, 5
    if chosen.quick:
        seeds, steps = seeds[:1], 2_000
    settings = SETTINGS | (dict(hidden=(8, 8)) if chosen.debug else {})
    if chosen.debug:
        steps, every, episodes = 1_020, 1_020, 1
    looks, rows = {}, []
    for name in VARIANTS:
        runs = [run(name, seed, steps, every, episodes, settings) for seed in seeds]
        looks[name] = np.array([one for one, _ in runs])  # (seeds, T, 3)
        end = looks[name][:, -1].mean(axis=0)
        rows.append([name, *end.tolist(), f"{np.mean([loss for _, loss in runs]):.4f}"])
        print(f"{name}: return {end[0]:.0f}", flush=True)
    table(["agent", "return", "discounted return", "belief", "critic's loss"], rows)
    ax = draw(every * np.arange(1, steps // every + 1), looks, rows[0][2])
    print(save(ax, chosen.out / "ddpg_ablation.png"))


if __name__ == "__main__":
    main()
