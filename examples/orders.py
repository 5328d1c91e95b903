r"""Orders: does it matter in which order the pixels come, and what do many orders give together?

The question. The chain rule holds in every order, so log p(x) = Σ_d log p(x_d | x_<d) has D! forms. For the truth all are
the same; for a model they are not. Does it matter which one it learns? And if one network knows them all, are many better?

The formula. An order o gives a density p_o(x). Several give a mixture, EoNADE (Uria, Murray & Larochelle 2014):

    p(x) = 1/K Σ_k p_{o_k}(x),      log p(x) = log-mean-exp_k log p_{o_k}(x)  ≥  mean_k log p_{o_k}(x)      (Jensen)

so an ensemble is never worse than the mean of its members, and it gains the more, the less they agree.

What to notice in the picture. Left: in the natural order, line by line, a pixel has seen its neighbours above and to the
left before it comes. So it has in a spiral from the middle. In a random order the first pixels must be guessed from afar,
but the last are nearly sure. Right: each doubling of K gains a little less. All members are one network with the same
weights, so each costs only its evaluation.

The common mistake. To average the conditionals, or their logits, over orders: σ(mean of logits) is no mixture of anything, and the
sum of its p over all x is not 1. Only whole-image probabilities may be averaged.

    python -m examples.orders                three minutes; figures/orders.png
    python -m examples.orders --data F       a small set (mushrooms, dna): 12 random orders, as Larochelle & Murray (2011) did;
                                             the published digits: the ensembles of what `published_split --model orderless` saved
"""

import numpy as np
from matplotlib.figure import Figure

from minigrad import checkpoint, optim, plot, training
from minigrad.datasets import binarized_mnist, load_binary
from models.nade import NADE
from models.orderless import OrderlessNADE

from .command import options, table
from .published_split import order_agnostic, orderless

PUBLISHED = {1: 92.17, 2: 90.69, 4: 89.86, 8: 89.16, 16: 88.61}  # EoNADE, one hidden layer of 500: the authors' analysis script


def spiral(side):
    """From the middle of a side x side image outwards, turn by turn: (side²,) pixel numbers."""
    row = column = (side - 1) // 2
    found, step, length = [], (0, 1), 1
    while len(found) < side * side:
        for _ in range(2):
            for _ in range(length):
                if 0 <= row < side and 0 <= column < side:
                    found.append(row * side + column)
                row, column = row + step[0], column + step[1]
            step = step[1], -step[0]
        length += 1
    return np.array(found)


def fit(model, data, rng, *, optimizer, epochs, **how):
    """Train with a learning rate that falls to 0; returns the history."""
    model.start_from_means(data.train)
    optimizer = optimizer(model)
    schedule = optim.LinearLR(optimizer, epochs * -(-len(data.train) // 100))
    return training.fit(
        model, data.train, data.valid, optimizer=optimizer, schedule=schedule, epochs=epochs, batch_size=100, rng=rng, **how
    )


def nades(data, orders, chosen, epochs, optimizer, patience=None):
    """A NADE for each order, all from the same seed: {name: (test NLL, interval, history)}."""
    found = {}
    for name, order in orders.items():
        rng = np.random.default_rng(chosen.seed)
        model = NADE(data.train.shape[1], 8 if chosen.debug else 500, rng=rng, order=order)
        print(f"NADE, order {name}")
        history = fit(model, data, rng, optimizer=optimizer, epochs=epochs, patience=patience, verbose=patience is None)
        found[name] = *model.evaluate(data.test)[:2], history
    return found


def twelve(data, chosen):
    """The spread over 12 random orders, beside the published one."""
    rng = np.random.default_rng(chosen.seed)
    orders = {str(k): rng.permutation(data.train.shape[1]) for k in range(2 if chosen.quick else 12)}
    found = nades(data, orders, chosen, 2 if chosen.quick else 120, lambda model: optim.Adam(model, 3e-3), patience=20)
    nll = np.array([value for value, *_ in found.values()])
    table(["order", "test NLL (nats)", "+-"], [[name, value, interval] for name, (value, interval, _) in found.items()])
    print(f"mean {nll.mean():.3f}, standard deviation over {len(nll)} orders {nll.std(ddof=1):.3f} nats "
          "(published: 0.045 on mushrooms, 0.050 on dna)")  # fmt: skip


def ensembles(model, x, rng):
    """[(K, NLL, interval)] of the mixtures over the first K of 16 random orders, as `models.ensemble.eonade` makes them."""
    log_p = []  # of each member: (N,)
    for _ in range(16):
        member = model.in_order("random", rng)
        log_p.append(np.concatenate([member.log_prob(x[i : i + 500]).data for i in range(0, len(x), 500)]).astype(np.float64))
    nll = {K: np.log(K) - np.logaddexp.reduce(log_p[:K]) for K in PUBLISHED}
    return [(K, float(each.mean()), float(1.96 * each.std() / len(x) ** 0.5)) for K, each in nll.items()]


def draw(found, curve, published, path):
    """Learning curves of the orders on the left, the ensembles on the right."""
    figure = Figure((10 if found else 5.5, 4), layout="constrained")
    *lefts, right = figure.subplots(1, 2 if found else 1, squeeze=False)[0]
    for left in lefts:  # one, or none if nothing was trained
        for (name, (_, _, history)), color in zip(found.items(), (plot.BLUE, plot.ORANGE, "0.45")):
            left.plot([h["epoch"] for h in history], [h["valid"] for h in history], "o-", markersize=3, color=color, label=name)
        left.set(title="NADE in three orders", xlabel="epoch", ylabel="validation NLL (nats)", xticks=[h["epoch"] for h in history])
        left.legend(frameon=False)
    K, nll, interval = map(np.array, zip(*curve))
    right.errorbar(K, nll, interval, marker="o", color=plot.BLUE, capsize=3, label="ours")
    if published:
        right.plot(list(PUBLISHED), list(PUBLISHED.values()), "--", color="0.45", label="published")
    right.set(title="one network, K random orders", xlabel="orders K", ylabel="test NLL (nats)")
    right.set(xscale="log", xticks=K, xticklabels=K)
    right.minorticks_off()
    right.legend(frameon=False)
    for ax in (*lefts, right):
        ax.spines[["top", "right"]].set_visible(False)
    return plot.save(right, path)


def main():
    """Orders alone, orders together; tables and the figure."""
    chosen = options(__doc__, data="optional")
    rng = np.random.default_rng(chosen.seed)
    data = load_binary(chosen.data) if chosen.data else binarized_mnist()
    if chosen.quick:
        some = (40, 10, 10) if chosen.debug else (2000, 100, 100)
        data = type(data)(*(part[:: max(len(part) // n, 1)] for part, n in zip(data, some)))
    if data.train.shape[1] != 784:
        return twelve(data, chosen)
    found, model = {}, orderless(rng)
    if chosen.data:
        model.load_state_dict(checkpoint.load(chosen.out / f"published_orderless_{chosen.seed}.npz")["best"])
    else:
        orders = {"natural": np.arange(784), "spiral": spiral(28), "random": rng.permutation(784)}
        found = nades(data, orders, chosen, 1 if chosen.quick else 4, lambda m: optim.SGD(m, 0.06, momentum=0.9, nesterov=True))
        table(["order", "test NLL (nats)", "+-"], [[name, nll, interval] for name, (nll, interval, _) in found.items()])
        model = OrderlessNADE(784, (8 if chosen.debug else 500,), rng=rng)
        how = dict(loss=order_agnostic, valid_loss=order_agnostic)
        fit(model, data, rng, optimizer=lambda m: optim.Adam(m, 1e-3), epochs=1 if chosen.quick else 12, **how)
    test = data.test if chosen.data else data.test[rng.permutation(len(data.test))[:2000]]
    curve = ensembles(model, test, np.random.default_rng(chosen.seed))
    rows = [[K, nll, pm, PUBLISHED[K] if chosen.data else "-"] for K, nll, pm in curve]
    table(["orders K", "test NLL (nats)", "+-", "published"], rows)
    print(draw(found, curve, chosen.data, chosen.out / "orders.png"))


if __name__ == "__main__":
    main()
