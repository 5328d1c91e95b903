"""Proofs about the joint model of images and labels: it sums to one, and all that it answers equals brute force."""

import copy
import itertools

import numpy as np
import pytest

from minigrad import checkpoint, optim
from models.ensemble import Ensemble
from models.fvsbn import FVSBN
from models.joint import Joint
from models.made import MADE
from models.nade import NADE

JOINTS = {
    "nade": lambda dim, classes, **k: Joint(NADE, dim, classes, 5, **k),
    "made": lambda dim, classes, **k: Joint(MADE, dim, classes, (9,), activation="tanh", **k),
    "made, two layers, direct": lambda dim, classes, **k: Joint(MADE, dim, classes, (9, 8), direct=True, activation="tanh", **k),
    "fvsbn": lambda dim, classes, **k: Joint(FVSBN, dim, classes, **k),
}


def all_states(n):
    """Every bit vector of length n, (2^n, n)."""
    return np.array(list(itertools.product((0, 1), repeat=n)), np.uint8)


def make(name, dim=6, classes=3, order="random", seed=0, size=1.0):
    """A joint model in float64 whose parameters hold anything at all."""
    rng = np.random.default_rng(seed)
    model = JOINTS[name](dim, classes, rng=rng, order=order, dtype=np.float64)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape) * size
    return model


def table(model):
    """p(x, y) of every state and label, (2^D, C): one call of log_prob for each label."""
    x = all_states(model.dim)
    return np.stack([np.exp(model.log_prob(x, np.full(len(x), y)).data) for y in range(model.classes)], axis=1)


@pytest.mark.parametrize("order", ["natural", "random"])
@pytest.mark.parametrize("name", JOINTS)
def test_the_sum_over_all_images_and_labels_is_one(name, order):
    for dim, classes, seed in ((1, 1, 0), (1, 4, 1), (2, 10, 2), (7, 3, 3)):
        assert abs(table(make(name, dim, classes, order, seed)).sum() - 1) < 1e-9


@pytest.mark.proof
@pytest.mark.parametrize("name", JOINTS)
def test_the_sum_over_nine_bits_and_three_labels_is_one_for_small_and_large_weights(name):
    for seed, size in enumerate((0.1, 1.0, 10.0)):
        assert abs(table(make(name, 9, 3, "random", seed, size)).sum() - 1) < 1e-9


def by_hand(model, x, y):
    """p(x, y) of one image by the formulas of NADE, bit after bit, with hidden sums that start from c + U_y and biases b + A_y."""
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    C, nade = model.classes, model.model
    U, W, V, b = nade.W.data[:C], nade.W.data[C:], nade.V.data[C:], nade.b.data[C:]
    p, a = np.exp(model.prior.data[y]) / np.exp(model.prior.data).sum(), nade.c.data + U[y]
    for d in model.order:
        on = sigmoid(b[d] + model.A.data[y, d] + V[d] @ sigmoid(a))
        p *= on if x[d] else 1 - on
        a = a + x[d] * W[d]
    return p


def test_with_nade_the_label_adds_a_row_to_the_hidden_sums_and_one_to_the_biases():
    model = make("nade", 4, 3)
    expected = [[by_hand(model, x, y) for y in range(3)] for x in all_states(4)]
    np.testing.assert_allclose(table(model), expected, rtol=1e-12)


@pytest.mark.parametrize("name", JOINTS)
def test_marginal_posterior_and_class_equal_brute_force(name):
    model = make(name)
    x, p = all_states(6), table(model)
    np.testing.assert_allclose(np.exp(model.log_joint(x).data), p, rtol=1e-12)
    np.testing.assert_allclose(np.exp(model.log_prob(x).data), p.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(model.posterior(x), p / p.sum(axis=1, keepdims=True), rtol=1e-11)
    np.testing.assert_array_equal(model.classify(x), p.argmax(axis=1))
    assert len(set(model.classify(x))) > 1  # or the line above proves little
    y = np.arange(64) % 3
    assert abs(model.nll(x, y).item() + np.log(p[np.arange(64), y]).mean()) < 1e-12
    assert abs(model.nll(x).item() + np.log(p.sum(axis=1)).mean()) < 1e-12


@pytest.mark.parametrize("name", JOINTS)
def test_the_prior_is_the_sum_over_all_images(name):
    model = make(name)
    p = np.exp(model.prior.data) / np.exp(model.prior.data).sum()
    np.testing.assert_allclose(table(model).sum(axis=0), p, rtol=1e-12)
    for y in range(3):  # and what is left for each label is a model of its own
        np.testing.assert_allclose(np.exp(model.given(y).log_prob(all_states(6)).data) * p[y], table(model)[:, y], rtol=1e-12)


@pytest.mark.parametrize("name", ["nade", "made"])
def test_the_posterior_of_a_part_of_an_image_equals_brute_force(name):
    model = make(name)
    x, p = all_states(6), table(model)
    observed = np.zeros(6, bool)
    observed[model.order[:2]] = True
    expected = []
    for row in x:
        agree = (x[:, observed] == row[observed]).all(axis=1)
        expected.append(p[agree].sum(axis=0) / p[agree].sum())
    np.testing.assert_allclose(model.posterior(x, observed), expected, rtol=1e-10)
    agree = (x[:, None, observed] == x[None, :, observed]).all(axis=2)  # (64, 64)
    np.testing.assert_allclose(np.exp(model.log_marginal(x, observed)), agree @ p.sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(model.posterior(x, np.zeros(6, bool)), np.tile(p.sum(axis=0), (64, 1)), rtol=1e-10)
    np.testing.assert_allclose(model.posterior(x, np.ones(6, bool)), model.posterior(x), rtol=1e-10)


def test_conditionals_with_the_label_summed_out_equal_brute_force():
    model = make("nade", 4)
    x, p = all_states(4), table(model).sum(axis=1)
    expected = np.zeros((16, 4))
    for i, row in enumerate(x):
        for place, d in enumerate(model.order):
            agree = (x[:, model.order[:place]] == row[model.order[:place]]).all(axis=1)
            expected[i, d] = p[agree & (x[:, d] == 1)].sum() / p[agree].sum()
    np.testing.assert_allclose(model.conditionals(x), expected, atol=1e-12)


def chi_square(x, p, n):
    """Of the counts of 16 states: its mean is 15, its standard deviation 5.5."""
    counts = np.bincount(x @ (2 ** np.arange(3, -1, -1)), minlength=16)
    return ((counts - n * p) ** 2 / (n * p)).sum()


@pytest.mark.parametrize("name", JOINTS)
def test_samples_match_p_of_x_and_those_of_a_class_p_of_x_given_y(name):
    # 52 is exceeded once in 10^5 right samplers
    n, model = 3000, make(name, 4, 3, size=0.8)
    p = table(model)
    x = model.sample(n, np.random.default_rng(6))
    assert x.dtype == np.uint8 and x.shape == (n, 4)
    assert chi_square(x, p.sum(axis=1), n) < 52
    for y in range(3):
        assert chi_square(model.sample(n, np.random.default_rng(y), y), p[:, y] / p[:, y].sum(), n) < 52
    other = chi_square(model.sample(n, np.random.default_rng(7), 1), p[:, 0] / p[:, 0].sum(), n)
    assert other > 100  # the classes differ, so a sampler that does not look at y would be seen


def test_one_label_for_each_sample_and_one_for_all_draw_the_same_images():
    model = make("nade")
    y = np.repeat(np.arange(3), 5)
    together = model.sample(15, np.random.default_rng(1), y)
    assert (together == model.sample(15, np.random.default_rng(1), y)).all()
    u = np.random.default_rng(1).random((15, 6))
    for label in range(3):
        np.testing.assert_array_equal(together[y == label], model.given(label).draw(u[y == label]))


@pytest.mark.parametrize("name", JOINTS)
def test_completion_keeps_what_is_observed_and_draws_the_rest_from_its_conditional(name):
    n, model = 3000, make(name, 4, 3, size=0.8)
    observed = np.zeros(4, bool)
    observed[model.order[0]] = True
    x = model.complete(np.ones((n, 4), np.uint8), observed, np.random.default_rng(2))
    assert x[:, observed].all()
    p = table(model).sum(axis=1) * all_states(4)[:, model.order[0]]
    states = p > 0  # 8 of them: chi-square with 7 degrees of freedom exceeds 37 once in 10^5
    counts, expected = np.bincount(x @ (2 ** np.arange(3, -1, -1)), minlength=16)[states], (n * p / p.sum())[states]
    assert ((counts - expected) ** 2 / expected).sum() < 37


@pytest.mark.parametrize("with_labels", [True, False])
@pytest.mark.parametrize("name", JOINTS)
def test_gradients_equal_central_differences(name, with_labels):
    model, rng = make(name, 5, 3, size=0.7), np.random.default_rng(4)
    x, y = all_states(5)[[3, 9, 14, 20, 20]], np.array([0, 2, 1, 1, 0]) if with_labels else None
    model.nll(x, y).backward()
    v = [rng.standard_normal(p.shape) for p in model.parameters()]
    ours = sum(np.vdot(p.grad, w) for p, w in zip(model.parameters(), v))
    values = []
    for step in (1e-6, -2e-6):
        for p, w in zip(model.parameters(), v):
            p.data = p.data + step * w
        values.append(model.nll(x, y).item())
    assert abs(ours - (values[0] - values[1]) / 2e-6) < 1e-6 * max(1, abs(ours))


def test_the_start_is_naive_bayes():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=200) // 2  # the third class does not occur
    x = (rng.random((200, 6)) < np.where(y[:, None] == 0, 0.2, 0.6)).astype(np.uint8)
    model = Joint(FVSBN, 6, 3, rng=rng, dtype=np.float64)
    model.start_from_means(x, y)
    n = np.bincount(y, minlength=3)
    p = (np.stack([x[y == label].sum(axis=0) for label in range(3)]) + 1) / (n[:, None] + 2)  # (3, 6)
    states = all_states(6)[:, None]  # (64, 1, 6)
    np.testing.assert_allclose(table(model), (n + 1) / 203 * np.where(states, p, 1 - p).prod(axis=2), rtol=1e-10)
    y_wrong = np.full(200, 3)
    with pytest.raises(ValueError, match="3 ... 3"):
        model.start_from_means(x, y_wrong)


def stripes_and_checks(n, rng):
    """Nine bits, 000111000 or 010101010 or the complement of one of them, with noise; y says which pair."""
    y, phase = rng.integers(2, size=n), rng.integers(2, size=(n, 1))
    clean = np.where(y[:, None] == 0, (np.arange(9) // 3 + phase) % 2, (np.arange(9) + phase) % 2)
    return (clean ^ (rng.random((n, 9)) < 0.03)).astype(np.uint8), y


@pytest.mark.parametrize("kind, hidden", [pytest.param(NADE, 16, marks=pytest.mark.proof), (MADE, (32,))])
def test_it_learns_what_no_linear_classifier_can(kind, hidden):
    # an image and its complement have scores on either side of the middle: a linear one is wrong for one image in four
    rng = np.random.default_rng(1)
    x, y = stripes_and_checks(400, rng)
    model = Joint(kind, 9, 2, hidden, rng=rng)
    model.start_from_means(x, y)
    optimizer = optim.Adam(model, 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        model.nll(x, y).backward()
        optimizer.step()
    x, y = stripes_and_checks(1000, rng)
    assert (model.classify(x) != y).mean() < 0.05


def test_the_outputs_of_the_label_bits_are_not_asked_and_stay():
    model = make("nade")
    model.nll(all_states(6), np.arange(64) % 3).backward()
    assert not model.model.V.grad[:3].any() and not model.model.b.grad[:3].any()
    assert model.model.V.grad[3:].all() and model.model.W.grad[:3].all() and model.A.grad.all() and model.prior.grad.all()


def test_a_saved_model_gives_the_same_answers(tmp_path):
    model = make("nade")
    checkpoint.save(tmp_path / "joint.npz", model.state_dict())
    same = Joint(NADE, 6, 3, 5, rng=np.random.default_rng(0), order=model.order, dtype=np.float64)
    same.load_state_dict(checkpoint.load(tmp_path / "joint.npz"))
    np.testing.assert_array_equal(model.posterior(all_states(6)), same.posterior(all_states(6)))
    other = Joint(NADE, 6, 3, 5, rng=np.random.default_rng(0), order=model.order[::-1], dtype=np.float64)
    with pytest.raises(ValueError, match="another model.order"):
        other.load_state_dict(model.state_dict())


def test_copies_and_ensembles_work():
    one, two, x = make("nade", seed=0), make("nade", seed=1), all_states(6)
    np.testing.assert_array_equal(copy.deepcopy(one).posterior(x), one.posterior(x))
    assert abs(np.exp(Ensemble([one, two]).log_prob(x).data).sum() - 1) < 1e-9


def test_wrong_labels_and_images_and_mixtures_raise_and_say_why():
    model, x = make("nade"), all_states(6)[:2]
    for y, message in (
        (np.array([0, 3]), "0 ... 3"),
        (np.array([-1, 0]), "-1"),
        (np.ones(2), "float64"),
        ([0], r"\(1,\)"),
        (3, "3 ... 3"),
    ):
        with pytest.raises(ValueError, match=message):
            model.log_prob(x, y)
    with pytest.raises(ValueError, match="shape"):
        model.log_prob(all_states(5), 0)
    with pytest.raises(ValueError, match="0 and 1 only"):
        model.log_prob(x + 1, 0)
    with pytest.raises(ValueError, match="integers"):
        model.sample(2, np.random.default_rng(0), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="one set of masks"):
        Joint(MADE, 6, 3, (7,), masks=2, rng=np.random.default_rng(0))
