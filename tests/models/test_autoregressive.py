"""Proofs about every density model: it sums to one, looks back only, samples what it says, and its gradients are right."""

import itertools

import numpy as np
import pytest

import minigrad
from examples.nade_mnist import cumsum_logits, loop_logits
from minigrad import Tensor, training
from minigrad.functional import bernoulli_nll
from minigrad.optim import SGD, Adam
from models.autoregressive import AutoregressiveModel, bernoulli_log_prob
from models.fvsbn import FVSBN
from models.made import MADE
from models.nade import NADE

ORDERS = ["natural", "random"]
MODELS = {
    "fvsbn": lambda dim, **k: FVSBN(dim, **k),
    "nade": lambda dim, **k: NADE(dim, 5, **k),
    "made": lambda dim, **k: MADE(dim, (7,), **k),
    "made, no hidden layer": lambda dim, **k: MADE(dim, (), **k),
    "made, two layers, tanh": lambda dim, **k: MADE(dim, (9, 8), activation="tanh", **k),
    "made, direct": lambda dim, **k: MADE(dim, (7,), direct=True, **k),
    "made, direct only": lambda dim, **k: MADE(dim, (), direct=True, **k),
    "made, 3 masks": lambda dim, **k: MADE(dim, (6, 6), masks=3, **k),
    "made, 3 orders": lambda dim, **k: MADE(dim, (7,), masks=3, shuffle="order", direct=True, **k),
    "made, 3 of both": lambda dim, **k: MADE(dim, (7,), masks=3, shuffle="both", **k),
}


def all_states(n):
    """Every bit vector of length n, (2^n, n)."""
    return np.array(list(itertools.product((0, 1), repeat=n)), np.uint8)


def make(name, dim, order="natural", seed=0, size=2.0):
    """A model in float64 whose parameters hold anything at all."""
    rng = np.random.default_rng(seed)
    model = MODELS[name](dim, rng=rng, order=order, dtype=np.float64)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape) * size
    return model


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", MODELS)
def test_probabilities_over_all_states_sum_to_one(name, order):
    for dim, seed in ((1, 0), (2, 1), (7, 2)):
        model = make(name, dim, order, seed)
        assert abs(np.exp(model.log_prob(all_states(dim)).data).sum() - 1) < 1e-9


@pytest.mark.proof
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", MODELS)
def test_probabilities_over_all_states_of_twelve_bits_sum_to_one(name, order):
    for seed in range(3):
        model = make(name, 12, order, seed, size=(0.1, 1.0, 10.0)[seed])
        assert abs(np.exp(model.log_prob(all_states(12)).data).sum() - 1) < 1e-9


def jacobian(logits, x):
    """∂ logits_d / ∂ x_j by our own autograd, (D, D) with j along the rows."""
    columns = []
    for d in range(x.size):
        t = Tensor(x[None, :], requires_grad=True)
        out = logits(t)[0, d]
        columns.append(minigrad.grad(out, t)[0].data[0] if out.requires_grad else np.zeros(x.size))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", ["fvsbn", "made, no hidden layer", "made, direct", "made, direct only"])
@pytest.mark.parametrize("order", ORDERS)
def test_jacobian_is_non_zero_exactly_where_the_order_allows(name, order):
    model = make(name, 6, order)
    rank = np.argsort(model.order)
    J = jacobian(model.logits, np.random.default_rng(1).random(6))
    np.testing.assert_array_equal(J != 0, rank[:, None] < rank[None, :])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("hidden", [(40,), (40, 40)])
def test_jacobian_of_made_without_direct_connections(hidden, order):
    # tanh and enough units: every degree occurs, and no unit is dead as a relu can be
    rng = np.random.default_rng(3)
    model = MADE(6, hidden, rng=rng, order=order, masks=2, shuffle="both", activation="tanh", dtype=np.float64)
    for k, component in enumerate(model.components):
        rank = np.argsort(component.order)
        J = jacobian(lambda t: model.logits(t, k), rng.random(6))
        np.testing.assert_array_equal(J != 0, rank[:, None] < rank[None, :])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("way", [loop_logits, cumsum_logits])
def test_nade_kernel_equals_plain_autograd_and_looks_back_only(way, order):
    model = make("nade", 6, order)
    x = all_states(6)[::3].astype(np.float64)
    g = np.random.default_rng(2).standard_normal(x.shape)
    results = []
    for logits in (NADE.logits, way):
        model.zero_grad()
        out = logits(model, x)
        (out * g).sum().backward()
        results.append([out.data, *(p.grad.copy() for p in model.parameters())])
    for ours, oracle in zip(*results):
        np.testing.assert_allclose(ours, oracle, rtol=1e-6, atol=1e-9)
    rank = np.argsort(model.order)
    J = jacobian(lambda t: cumsum_logits(model, t), x[5])
    np.testing.assert_array_equal(J != 0, rank[:, None] < rank[None, :])


def test_nade_in_float32_is_close_to_float64():
    rng = np.random.default_rng(0)
    single = NADE(40, 16, rng=rng)
    double = NADE(40, 16, rng=rng, dtype=np.float64)
    double.load_state_dict(single.state_dict())
    x = (rng.random((9, 40)) < 0.3).astype(np.uint8)
    for model in (single, double):
        model.nll(x).backward()
    np.testing.assert_allclose(single.log_prob(x).data, double.log_prob(x).data, rtol=1e-6)
    for p, q in zip(single.parameters(), double.parameters()):
        assert p.grad.dtype == np.float32
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_log_prob_equal_central_differences(name):
    model = make(name, 5, "random", size=0.7)
    x = all_states(5)[[3, 9, 14, 20, 20]]
    weights = np.array([1.0, -2.0, 0.5, 3.0, 0.25])  # of the examples: any upstream gradient
    rng = np.random.default_rng(4)
    (model.log_prob(x) * weights).sum().backward()
    for _ in range(3):
        v = [rng.standard_normal(p.shape) for p in model.parameters()]
        ours = sum(np.vdot(p.grad, w) for p, w in zip(model.parameters(), v))
        values = []
        for step in (1e-6, -2e-6):  # forward, then back to the other side
            for p, w in zip(model.parameters(), v):
                p.data = p.data + step * w
            values.append((model.log_prob(x) * weights).sum().item())
        for p, w in zip(model.parameters(), v):
            p.data = p.data + 1e-6 * w
        assert abs(ours - (values[0] - values[1]) / 2e-6) < 1e-6 * max(1, abs(ours))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fused_log_prob_equals_the_primitives(dtype):
    rng = np.random.default_rng(5)
    z = (rng.standard_normal((6, 150)) * 4).astype(dtype)
    z[0, :4] = [1000, -1000, 0, 90]
    x = (rng.random(z.shape) < 0.4).astype(dtype)
    fused, plain = Tensor(z, requires_grad=True), Tensor(z, requires_grad=True)
    ours, oracle = bernoulli_log_prob(fused, x=x), -bernoulli_nll(plain, x).sum(axis=1)
    weights = rng.standard_normal(6).astype(dtype)
    ours.backward(weights)
    oracle.backward(weights)
    tolerance = {np.float32: 2e-6, np.float64: 1e-13}[dtype]
    np.testing.assert_allclose(ours.data, oracle.data, rtol=tolerance)
    np.testing.assert_allclose(fused.grad, plain.grad, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_samples_match_p(name):
    # chi-square over 32 states: its mean is 31, its standard deviation 7.9; 75 is exceeded once in 10^5 right samplers
    n = 4000
    model = make(name, 5, "random", size=0.8)
    p = np.exp(model.log_prob(all_states(5)).data)
    x = model.sample(n, np.random.default_rng(6))
    assert x.dtype == np.uint8 and x.shape == (n, 5)
    counts = np.bincount(x @ (2 ** np.arange(4, -1, -1)), minlength=32)
    assert ((counts - n * p) ** 2 / (n * p)).sum() < 75


@pytest.mark.parametrize("name", [name for name in MODELS if "3" not in name])
def test_incremental_sampling_equals_a_full_pass_for_every_pixel(name):
    model = make(name, 9, "random")
    ours = model.sample(20, np.random.default_rng(7))
    u = np.random.default_rng(7).random((20, 9))
    x = np.zeros((20, 9), np.uint8)
    for d in model.order:
        x[:, d] = u[:, d] < model.conditionals(x)[:, d]
    np.testing.assert_array_equal(ours, x)


@pytest.mark.parametrize("name", [name for name in MODELS if "orders" not in name and "both" not in name])
def test_conditionals_equal_brute_force(name):
    # p(x_d = 1 | x_<d) from the joint: sum p over all states that agree with x on the variables before d
    model = make(name, 5, "random")
    states = all_states(5)
    p = np.exp(model.log_prob(states).data)
    x = states[[6, 25]]
    expected = np.zeros((2, 5))
    for i, row in enumerate(x):
        for place, d in enumerate(model.order):
            before = model.order[:place]
            agree = (states[:, before] == row[before]).all(axis=1)
            expected[i, d] = p[agree & (states[:, d] == 1)].sum() / p[agree].sum()
    np.testing.assert_allclose(model.conditionals(x), expected, atol=1e-12)


def test_conditionals_of_several_orders_raise_and_say_why():
    with pytest.raises(ValueError, match="several orders"):
        make("made, 3 orders", 5).conditionals(all_states(5))


def test_mixture_is_a_mean_of_likelihoods():
    model = make("made, 3 of both", 6)
    parts = np.stack([np.exp(model.log_prob(all_states(6), component=k).data) for k in range(3)])
    np.testing.assert_allclose(parts.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(model.log_prob(all_states(6)).data), parts.mean(axis=0), rtol=1e-12)


def test_averaged_logits_over_two_orders_are_no_density():
    # two bits that are equal: each order alone sums to 1, the averaged logits give 1 + 0 + 0 + 1/4
    model = MADE(2, (), rng=np.random.default_rng(3), masks=2, shuffle="order", dtype=np.float64)
    assert (model.components[0].order != model.components[1].order).all()
    model.V.data, model.b.data = [[0, 20], [20, 0]], [-10, -10]
    x = all_states(2).astype(float)
    assert abs(np.exp(model.log_prob(x).data).sum() - 1) < 1e-12
    averaged = (model.logits(x, 0) + model.logits(x, 1)) / 2
    assert abs(np.exp(bernoulli_log_prob(averaged, x=x).data).sum() - 1.25) < 1e-3


def test_components_with_shuffle_order_share_their_hidden_degrees():
    model = make("made, 3 orders", 6)
    a, b, c = model.components
    np.testing.assert_array_equal(a.degrees[1], c.degrees[1])
    assert (a.order != b.order).any()
    a, b, c = make("made, 3 masks", 6).components
    assert (a.degrees[1] != b.degrees[1]).any() and (a.order == b.order).all()


def test_made_without_hidden_layer_equals_fvsbn():
    rng = np.random.default_rng(8)
    order = rng.permutation(6)
    made, fvsbn = MADE(6, (), rng=rng, order=order, dtype=np.float64), FVSBN(6, rng=rng, order=order, dtype=np.float64)
    made.V.data = fvsbn.W.data = rng.standard_normal((6, 6))
    made.b.data = fvsbn.b.data = rng.standard_normal(6)
    np.testing.assert_allclose(made.log_prob(all_states(6)).data, fvsbn.log_prob(all_states(6)).data, rtol=1e-12)


@pytest.mark.parametrize("name", ["fvsbn", "nade", "made, direct"])
def test_permuting_data_and_order_together_changes_nothing(name):
    rng = np.random.default_rng(9)
    pi, x = rng.permutation(6), all_states(6)
    one = make(name, 6, np.arange(6))
    # column d of the permuted data is variable pi[d]; so variable j now stands in column argsort(pi)[j]
    other = MODELS[name](6, rng=np.random.default_rng(0), order=np.argsort(pi)[one.order], dtype=np.float64)
    if name.startswith("made"):  # degrees are drawn from the same generator state, so the masks correspond
        np.testing.assert_array_equal(other.components[0].degrees[1], one.components[0].degrees[1])
    for (p_name, p), q in zip(one.named_parameters(), other.parameters()):
        value = p.data
        for axis, size in enumerate(value.shape):
            value = value.take(pi, axis) if size == 6 else value
        q.data = value
    np.testing.assert_allclose(other.log_prob(x[:, pi]).data, one.log_prob(x).data, rtol=1e-12)


def test_uniform_model_over_784_bits_has_543_nats():
    model = FVSBN(784, rng=np.random.default_rng(0))
    result = model.evaluate(np.random.default_rng(0).integers(0, 2, (7, 784)), batch_size=3)
    assert abs(result.nll - 784 * np.log(2)) < 1e-3 and abs(result.bits_per_dim - 1) < 1e-6
    assert result.interval < 1e-3 and "543.4" in str(result)


def test_evaluate_gives_the_mean_and_its_interval():
    model, x = make("made", 5), all_states(5)
    nll = -model.log_prob(x).data
    result = model.evaluate(x, batch_size=7)
    assert np.isclose(result.nll, nll.mean()) and np.isclose(result.interval, 1.96 * nll.std() / np.sqrt(32))
    assert np.isclose(model.nll(x).item(), nll.mean())


@pytest.mark.parametrize("name", ["fvsbn", "nade", "made"])
def test_start_from_means_gives_the_pixel_means(name):
    model = MODELS[name](6, rng=np.random.default_rng(0), dtype=np.float64)
    for p in model.parameters():
        p.data = np.zeros(p.shape)
    x = all_states(6)[5:40]
    model.start_from_means(x)
    np.testing.assert_allclose(model.conditionals(x[:1])[0], (x.sum(axis=0) + 1) / (len(x) + 2))


@pytest.mark.parametrize("name", ["fvsbn", "nade", "made"])
@pytest.mark.parametrize("optimizer", [lambda m: Adam(m, 0.02), lambda m: SGD(m, 0.1, momentum=0.9, nesterov=True)])
def test_training_learns_an_exact_rule(name, optimizer):
    # x_4 = x_0 and x_1: the entropy of the data is 4 bits; a model that sees nothing of it needs 4.81 bits
    x = all_states(5)
    x = x[x[:, 4] == (x[:, 0] & x[:, 1])]  # (16, 5)
    finals = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        model = MODELS[name](5, rng=rng)
        history = training.fit(model, x, x, optimizer=optimizer(model), epochs=200, batch_size=4, rng=rng, verbose=False)
        finals.append(min(h["valid"] for h in history) / np.log(2))
    assert all(4.0 < f < 4.25 for f in finals), finals


def test_same_seed_same_bits():
    def run():
        rng = np.random.default_rng(10)
        model = MADE(9, (8,), rng=rng, order="random", masks=2, shuffle="both")
        return model.log_prob(model.sample(30, rng)).data

    assert run().tobytes() == run().tobytes()


@pytest.mark.parametrize(
    "x, message",
    [
        (np.zeros((2, 5)), r"shape \(B, 6\)"),
        (np.zeros(6), r"shape \(B, 6\)"),
        (np.full((2, 6), 0.5), "0 and 1 only"),
        (np.full((2, 6), 2, np.uint8), "0 and 1 only"),
        (np.full((2, 6), np.nan), "0 and 1 only"),
    ],
)
def test_bad_data_is_named(x, message):
    with pytest.raises(ValueError, match=message):
        FVSBN(6, rng=np.random.default_rng(0)).log_prob(x)


@pytest.mark.parametrize("order", ["spiral", [0, 1, 1], [0, 1], [1, 2, 3], [0.0, 1.0, 2.0]])
def test_bad_order_is_named(order):
    with pytest.raises(ValueError, match="order must be"):
        NADE(3, 2, rng=np.random.default_rng(0), order=order)


@pytest.mark.parametrize("bad", [{"shuffle": "degrees"}, {"masks": 0}, {"activation": "gelu"}])
def test_bad_options_of_made_are_named(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        MADE(4, rng=np.random.default_rng(0), **bad)


def test_weights_under_another_order_do_not_load():
    one, other = (NADE(8, 3, rng=np.random.default_rng(seed), order="random") for seed in (0, 1))
    with pytest.raises(ValueError, match="another order"):
        other.load_state_dict(one.state_dict())
    masks = [MADE(8, (5,), rng=np.random.default_rng(seed)) for seed in (0, 1)]
    with pytest.raises(ValueError, match="degrees"):
        masks[1].load_state_dict(masks[0].state_dict())


def test_nade_says_that_it_has_no_gradient_for_x():
    with pytest.raises(TypeError, match="NumPy array"):
        make("nade", 4).logits(Tensor(np.zeros((1, 4)), requires_grad=True))


def test_a_model_must_define_logits():
    with pytest.raises(NotImplementedError, match="logits"):
        AutoregressiveModel().logits(np.zeros((1, 1)))


@pytest.mark.parametrize("name", ["fvsbn", "nade", "made"])
def test_a_tensor_is_refused_with_the_remedy_and_a_list_is_taken(name):
    model, bits = make(name, 64), [[0, 1, 0, 1] * 16]  # 64 numbers: shorter rows can differ in the last digit, see bernoulli_sum
    with pytest.raises(TypeError, match=r"\.detach\(\)\.numpy\(\)"):
        model.log_prob(Tensor(np.zeros((1, 64))))
    assert model.log_prob(bits).data == model.log_prob(np.array(bits)).data
