"""`python -m examples` lists the chapters; `--names` prints the names alone."""

import sys

from .command import table

CHAPTERS = [  # name, idea, minutes on two cores
    ("autograd_tour", "how a program differentiates itself", "0.1"),
    ("generative_models", "min d(p_data, p_theta), and a ladder of density models", "2"),
    ("made_mnist", "one pass of a masked network gives all conditionals", "1.5"),
    ("nade_mnist", "one model, three ways to compute it", "1.5"),
    ("staircases", "fast twins: half of a MADE is zeros, and need not be multiplied", "0.2"),
    ("orders", "one network that knows every order, and ensembles of them", "3"),
    ("inpainting", "half of a digit is given: marginals, completions, imputation", "1.5"),
    ("joint_mnist", "the label as one more variable: Bayes' rule, samples by class, a linear probe", "4.5"),
    ("compress_digits", "nats become bytes: arithmetic coding beside gzip, bz2, xz and counting", "1"),
    ("red_wine", "real numbers: each conditional a mixture of bells", "0.1"),
    ("grid_world", "what to do when the rules are known: values, policies, three algorithms", "0.1"),
    ("stochastic_approximation", "roots, means, minima and values from noisy answers: one line, and its step size", "0.1"),
    ("monte_carlo", "values and policies from episodes alone: how long, which visits, whose episodes", "0.2"),
    ("temporal_difference", "Sarsa, Q-learning and their kin differ in one function: a cliff, a wind, a biased maximum", "0.2"),
    ("value_approximation", "values for more states than a table holds; when learning them diverges", "0.3"),
    ("traces", "one reward, many lessons: n-step methods and eligibility traces", "0.2"),
    ("dqn", "Q-learning with a network and a memory: what a record teaches, and a pole that stands", "1.5"),
    ("policy_gradient_cart_pole", "REINFORCE, a baseline, a critic, PPO", "2.5"),
    ("ddpg_pendulum", "actions that are real numbers: an actor that follows a critic uphill", "1"),
    ("ddpg_lqr", "the learned gain beside the exact one", "0.7"),
    ("ddpg_ablation", "no targets, no replay, a gradient that leaks: what breaks", "1.5"),
    ("td3_pendulum", "two critics, the lesser counts: what a critic promises, and what follows", "2"),
    ("exploration_noise", "why mountain car needs noise that lasts", "1"),
    ("time_limits", "what it costs to take a clock that stops for the end of the world", "1"),
]


def main():
    """Print the list."""
    if "--names" in sys.argv:
        print("\n".join(name for name, *_ in CHAPTERS))
    else:
        table(["python -m examples.", "idea", "minutes"], [list(chapter) for chapter in CHAPTERS])
        print("\nAll take --quick, --seed N, --debug, --out FOLDER; --help shows the chapter's text. Also: benchmarks,")
        print("benchmarks_rl, ddpg_evaluation, homework, pendulum_optimum, read, reproduce_tables, size, published_split, make_binarized_mnist.")


if __name__ == "__main__":
    main()
