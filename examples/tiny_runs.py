"""Tiny runs through all of the library, for `examples.read`: each names the sizes that its symbols have. (Those of rl/
are in `tiny_runs_rl.py` and `tiny_runs_agents.py`.)

A run is a function that takes a Generator. The sizes of one run differ, and are primes where they can be, so that a
shape comment cannot be right by accident. All kernels must run as plain Python (NUMBA_DISABLE_JIT), or nobody sees them.
"""

import copy
import tempfile
from pathlib import Path

import numpy as np

import minigrad
from minigrad import Tensor, checkpoint, datasets, functional, nn, ops, optim, training
from models import codec, ensemble, fvsbn, joint, made, mlp, nade, orderless, rnade

from . import autograd_tour, compress_digits, generative_models, joint_mnist, nade_mnist, red_wine, tables_recipes, tables_sets

RUNS = []  # pairs: a function, its sizes


def run(**sizes):
    """Decorator: a run, and what symbols mean in it, a number or several."""
    return lambda function: RUNS.append((function, sizes)) or function


@run(n=3, k=5, m=7, N=3, C=5)
def engine(rng):
    """Every primitive, there and back, and back again; then what else the engine offers."""
    x, y, b = rng.uniform(0.2, 0.8, (3, 5)), rng.uniform(0.2, 0.8, (3, 5)), rng.uniform(0.2, 0.8, (2, 5, 7))
    v, w = x[0], y[0]
    one = (np.exp, np.log, np.sqrt, np.tanh, np.negative, ops.sigmoid, ops.relu, ops.softplus, ops.log_sigmoid, functional.silu,
           functional.softmax, lambda t: ops.logsumexp(t, 1), lambda t: np.cumsum(t, axis=1), lambda t: np.max(t, axis=1),
           lambda t: np.mean(t, axis=0), lambda t: t.sum(), lambda t: t.T, lambda t: t.reshape(5, 3), lambda t: t[1:, [0, 0, 2]],
           lambda t: t[1], lambda t: np.broadcast_to(t, (2, 3, 5)), lambda t: np.where(x > 0.5, t, 1 - t),
           lambda t: t.astype(np.float64),
           lambda t: functional.layer_norm(t, 5), lambda t: functional.cross_entropy(t, np.array([0, 4, 2])))  # fmt: skip
    two = (np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, functional.mse_loss,
           functional.binary_cross_entropy_with_logits, lambda s, t: np.concatenate([s, t], axis=1),
           lambda s, t: np.stack([s, t]))  # fmt: skip
    products = ((x, v), (v, w), (v, b), (x, b), (rng.uniform(size=(2, 3, 5)), v))
    for function in one:
        minigrad.gradcheck(function, [x], rng=rng, directions=1)
    for function, inputs in [*((f, [x, y]) for f in two), *((np.matmul, list(pair)) for pair in products)]:
        minigrad.gradcheck(function, inputs, rng=rng, directions=1)
    minigrad.gradcheck(np.tanh, [x], rng=rng, order=2, directions=1)
    triple = ops.primitive(lambda g, y, x: 3 * g)(lambda x, /: 3 * x)  # how a primitive is made
    with minigrad.detect_anomaly(), minigrad.trace():
        triple(Tensor(x, requires_grad=True)).sum().backward()
    repr(Tensor(x)), Tensor(x) < 0.5, Tensor(x[0, 0]).numpy(), triple(x)


@run(B=3, H=7, n=5)
def tour(rng):
    """Chapter 0: its own small engine, derivatives of derivatives."""
    layers = autograd_tour.init((2, 7, 1), rng)
    autograd_tour.train(rng.random((3, 2)), np.ones((3, 1)), layers, 2, 0.1)
    autograd_tour.derivatives(np.tanh, rng.random(5), 2)


@run(N=9, B=3)
def training_loop(rng):
    """Modules, optimisers, the loop, a checkpoint."""
    x = rng.standard_normal((9, 5)).astype(np.float32)
    loss = lambda model, batch, rng: functional.mse_loss(model(Tensor(batch)), batch[:, :1])  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        for number, make in enumerate((lambda p: optim.SGD(p, 0.1, momentum=0.9), optim.Adam, optim.Adagrad)):
            model = nn.MLP((5, 7, 1), rng=rng, activation="tanh")
            optimizer = make(model)
            schedule = optim.CosineAnnealingLR(optimizer, 6)
            for epochs in (1, 2):  # the second goes on from the file
                training.fit(model, x, x, optimizer=optimizer, epochs=epochs, batch_size=3, rng=rng, loss=loss, schedule=schedule,
                             path=Path(folder) / f"{number}.npz", verbose=False)  # fmt: skip
            optim.clip_grad_norm_(model, 1.0)
            optimizer.zero_grad()
        checkpoint.load(Path(folder) / "0.npz")
        np.savez(Path(folder) / "bits.npz", train=x > 0, valid=x > 0, test=x > 0)
        datasets.load_binary(Path(folder) / "bits.npz")
    copy.deepcopy(model)
    nn.xavier_uniform(5, 7, rng)


@run()
def digits(rng):
    """The data."""
    datasets.binarized_mnist()


@run(B=3, D=5, H={7, 11}, K=(1, 2), N=9)
def density(rng):
    """FVSBN, NADE, MADE: one step of training each, what they say of a data set, samples."""
    x = (rng.random((9, 5)) < 0.5).astype(np.uint8)
    models = [
        made.MADE(5, (7, 11), rng=rng, order="random", direct=True, activation="tanh"),
        made.MADE(5, (7,), rng=rng, masks=2),
        made.MADE(5, (7,), rng=rng, masks=2, shuffle="both"),
        fvsbn.FVSBN(5, rng=rng, order="random"),
        nade.NADE(5, 7, rng=rng, order="random"),
        nade.NADE(5, 7, rng=rng, order=np.array([4, 3, 1, 2, 0]), dtype=np.float64),
    ]
    for model in models:
        model.start_from_means(x)
        optimizer = optim.Adam(model)
        model.nll(x[:3]).backward()
        optimizer.step()
        model.evaluate(x, batch_size=3)
        model.sample(13, rng)
        model.load_state_dict(model.state_dict())
        if model is not models[2]:  # its two orders have no conditionals in common
            model.conditionals(x[:3])
    for way in nade_mnist.WAYS.values():
        way(models[-2], models[-2].bits(x[:3]))


@run(B=3, D=5, H={7, 10}, K={1, 2, 3}, n=3)
def any_order(rng):
    """Order-agnostic NADE, a mixture over its orders, completions; MADE's components as a mixture."""
    x, observed = (rng.random((3, 5)) < 0.5).astype(np.uint8), np.arange(5) < 2
    model = orderless.OrderlessNADE(5, (7, 10), rng=rng)
    model.order_agnostic_nll(x, rng).backward()
    for asked in (model, ensemble.eonade(model, 3, rng), made.MADE(5, (7,), rng=rng, masks=2), nade.NADE(5, 7, rng=rng)):
        asked.log_prob(x)
        if asked.parts()[0][1] is not asked.parts()[-1][1] and isinstance(asked, ensemble.Ensemble):
            continue  # several orders: no question has one answer, and of n samples each order draws some
        asked.sample(3, rng)
        asked.log_marginal(x, observed)
        asked.complete(x, observed, rng)
        asked.impute(x, observed, rng, samples=2)


@run(D=6, K=4, N=11, G=len(generative_models.GRID))
def ladder(rng):
    """Chapter 1: the two distances, a counting table."""
    generative_models.minimise(generative_models.reverse_kl, steps=1)
    x = (rng.random((11, 6)) < 0.5).astype(np.uint8)
    table = generative_models.CountingTable(2, 3, 4)
    table.count(x)
    table.evaluate(x)
    table.sample(2, rng)


@run(D=9, B=2, N=2, H=5, K={1, compress_digits.K})
def compression(rng):
    """NADE's codec and all coders beside it, on images of 3 x 3."""
    x, table = (rng.random((2, 9)) < 0.5).astype(np.uint8), generative_models.CountingTable(3, 3, compress_digits.K)
    coder = codec.Codec(nade.NADE(9, 5, rng=rng))
    compress_digits.run_all(x, 3, table, coder)
    compress_digits.costs(coder.model, x)


@run(B=3, D=5, H=7, K={1, 2})
def real_numbers(rng):
    """RNADE with either bell: a step of training, samples, completions."""
    x, observed = rng.standard_normal((3, 5)).astype(np.float32), np.arange(5) < 2
    for bell in rnade.BELLS:
        model = rnade.RNADE(5, 7, 2, rng=rng, bell=bell)
        model.start_from_means(x)
        model.nll(x).backward()
        model.evaluate(x)
        model.sample(3, rng)
        model.complete(x, observed, rng)
        model.impute(x, observed, rng, samples=1)


@run(D=3, N={2, 11, 16}, H=7, K=2)
def wine(rng):
    """Red wine, made up."""
    data = red_wine.made_up(rng, folds=1, train=18, test=11)
    model, _ = red_wine.train_fold(data, 1, 0, red_wine.RECIPE | {"hidden": 7, "components": 2, "epochs": 1})
    red_wine.draw(model, data, 1, rng)
    red_wine.true_mean(data, 1)


@run(B=3, D={5, 7}, C=2, n={1, 2, 3, 11}, H=13)
def label_as_variable(rng):
    """A joint model: a step of training with labels and one without, all that it answers."""
    x, y, observed = (rng.random((3, 5)) < 0.5).astype(np.uint8), np.array([1, 0, 1]), np.arange(5) < 2
    for kind, hidden in ((nade.NADE, 13), (made.MADE, (13,))):
        model = joint.Joint(kind, 5, 2, hidden, rng=rng, dtype=np.float64)
        model.start_from_means(x, y)
        (model.nll(x, y) + model.nll(x)).backward()
        model.classify(x), model.posterior(x, observed), model.complete(x, observed, rng)
        model.sample(11, rng), model.sample(11, rng, y=1)
        model.load_state_dict(model.state_dict())


@run(B=2, N=2, D={784, 794}, H=7, F={7, 784})
def label_first(rng):
    """The joint model's chapter on two digits a part."""
    bits, labels = (rng.random((3, 2, 784)) < 0.1).astype(np.uint8), np.array([[3, 8]] * 3, np.uint8)
    data = datasets.LabelledSplit(*bits, *labels)
    joint_mnist.without_labels(data, 7, 1, 0)
    joint_mnist.with_label_first(data, 7, 1, 0)
    joint_mnist.logistic_regression("pixels", bits, labels, 1, 0)
    joint_mnist.naive_bayes(data)


@run(B=3, D=5, N=3)
def tables(rng):
    """A MADE whose masks change with each update, as a mixture; the text of a set."""
    x = (rng.random((3, 5)) < 0.5).astype(np.uint8)
    model = tables_recipes.SampledMADE(5, (7,), rng=rng)
    model.sampled_nll(x, rng).backward()
    model.mixture(x, 2)
    tables_sets.text_sha256(x)


@run(B=3, H={7, 11}, **{"in": 5, "out": 2})
def perceptron(rng):
    """The multilayer perceptron as one primitive."""
    x = Tensor(rng.standard_normal((3, 5)).astype(np.float32), requires_grad=True)
    network = mlp.MLP((5, 7, 11, 2), rng=rng, small=0.1)
    network(x).sum().backward()
    network.frozen()(x.data)


def all_of_them(tracer):
    """Run each under a tracer."""
    from . import tiny_runs_agents, tiny_runs_rl  # noqa: F401  their runs join the list

    for function, sizes in RUNS:
        with tracer.watch(function.__name__, **sizes):
            function(np.random.default_rng(0))
    tracer.constants()
