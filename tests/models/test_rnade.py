"""Proofs about RNADE: its density has integral 1 whatever its parameters, looks back only, and samples what it says."""

import copy
import math

import numpy as np
import pytest

import minigrad
from minigrad import Tensor
from models.ensemble import Ensemble
from models.rnade import BELLS, RNADE, Mixture

ORDERS = ["natural", "random"]
ERF = np.vectorize(math.erf, otypes=[float])


def make(dim, hidden=5, components=3, *, seed=0, size=0.7, **keywords):
    """A model in float64 whose parameters hold anything at all."""
    rng = np.random.default_rng(seed)
    model = RNADE(dim, hidden, components, rng=rng, dtype=np.float64, **keywords)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape) * size
    return model


def loop_log_prob(model, x):
    """The formulas one variable at a time, as the paper has them."""
    a, total = model.c, 0
    for place, d in enumerate(model.order):
        h = model.activation(model.rho[place] * a)  # (B, H)
        total += model.mixture(h, place).log_density(Tensor(x[:, d]), model.bell)
        a = a + x[:, d, None] * model.W[place]
    return total


def cdf(mixture, x, bell):
    """The distribution functions of mixtures (..., K) at x (...)."""
    z = (x[..., None] - mixture.mu) * np.exp(-mixture.log_sigma)
    below = (1 + ERF(z / math.sqrt(2))) / 2 if bell == "gaussian" else np.where(z < 0, np.exp(z), 2 - np.exp(-z)) / 2
    return (np.exp(mixture.log_alpha) * below).sum(axis=-1)


def nodes(breaks, most):
    """Points and weights that integrate what is smooth between the breaks: 10-point Gauss on pieces of at most that length."""
    ends = np.unique(np.concatenate([np.linspace(a, b, max(2, math.ceil((b - a) / most) + 1)) for a, b in zip(breaks, breaks[1:])]))
    t, w = np.polynomial.legendre.leggauss(10)
    middle, half = (ends[1:] + ends[:-1]) / 2, (ends[1:] - ends[:-1]) / 2
    return (middle[:, None] + half[:, None] * t).ravel(), (half[:, None] * w).ravel()


# ---- the integral
@pytest.mark.parametrize("bell", BELLS)
@pytest.mark.parametrize("seed", range(3))
def test_the_density_of_one_variable_has_integral_1(bell, seed):
    model = make(1, bell=bell, seed=seed)
    kinks = np.sort(model.conditionals(np.zeros((1, 1))).mu.ravel())  # where a Laplace density has a corner
    x, w = nodes([-150, *kinks, 150], 0.5)
    assert abs(np.exp(model.log_prob(x[:, None]).data) @ w - 1) < 1e-9


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_the_density_of_two_variables_has_integral_1(order, activation):
    # The trapezoidal rule on a Gaussian whose deviation is s grid steps errs by 2 e^(-2 pi^2 s^2): 1e-15 for s = 1.34.
    for seed in range(2):
        model = make(2, seed=seed, size=0.4, order=np.array(order), activation=activation)
        model.b_sigma.data = np.maximum(model.b_sigma.data, -0.3)
        grid = np.linspace(-25, 25, 301)
        x = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
        assert abs(np.exp(model.log_prob(x).data).sum() * (grid[1] - grid[0]) ** 2 - 1) < 1e-9


@pytest.mark.parametrize("bell", BELLS)
def test_the_floor_is_honest(bell):
    """With every log-scale far below the floor the bells are narrow and high, but not infinite, and their area is still 1."""
    model = make(1, bell=bell, floor=1e-2)
    model.b_sigma.data = np.full_like(model.b_sigma.data, -1000.0)
    mixture = model.conditionals(np.zeros((1, 1)))
    np.testing.assert_allclose(np.exp(mixture.log_sigma), 1e-2)
    x, w = nodes(np.sort(np.concatenate([mixture.mu.ravel() + shift for shift in (-1, -0.3, 0, 0.3, 1)])), 5e-3)
    assert abs(np.exp(model.log_prob(x[:, None]).data) @ w - 1) < 1e-9
    drawn = model.sample(4000, np.random.default_rng(0))[:, :1]
    assert np.abs(drawn - mixture.mu[0, 0]).min(axis=1).mean() < 2e-2  # and a sample has the same scale


# ---- what a density must be
@pytest.mark.parametrize("bell", BELLS)
def test_without_a_hidden_layer_one_component_is_the_textbooks_density(bell):
    model = make(3, 0, 1, bell=bell)
    mu, sigma = model.b_mu.data.ravel(), 1e-3 + np.exp(model.b_sigma.data.ravel())
    x = np.random.default_rng(1).standard_normal((7, 3))
    z = (x - mu) / sigma
    expected = -z * z / 2 - np.log(sigma * np.sqrt(2 * np.pi)) if bell == "gaussian" else -abs(z) - np.log(2 * sigma)
    np.testing.assert_allclose(model.log_prob(x).data, expected.sum(axis=1), rtol=1e-12)


def test_one_component_and_a_linear_hidden_layer_are_a_full_gaussian():
    """Relus that are always on are linear; a chain of linear regressions is a Gaussian with any covariance you like."""
    rng = np.random.default_rng(2)
    model, root = RNADE(3, 3, 1, rng=rng, floor=1e-12, dtype=np.float64), rng.standard_normal((3, 3))
    S, mean = root @ root.T + np.eye(3), rng.standard_normal(3)
    model.c.data, model.W.data = np.full(3, 100.0), np.eye(3)  # h_d = 100 + (x_1 ... x_{d-1}, 0 ...)
    model.V_sigma.data, model.V_mu.data = np.zeros((3, 3, 1)), np.zeros((3, 3, 1))
    for d in range(3):
        slope = np.linalg.solve(S[:d, :d], S[:d, d])
        model.V_mu.data[d, :d, 0] = slope
        model.b_mu.data[d] = mean[d] - slope @ (mean[:d] + 100)
        model.b_sigma.data[d] = np.log(S[d, d] - slope @ S[:d, d]) / 2
    x = rng.standard_normal((9, 3)) * 3
    away = x - mean
    expected = -(away * np.linalg.solve(S, away.T).T).sum(axis=1) / 2 - np.linalg.slogdet(2 * np.pi * S)[1] / 2
    np.testing.assert_allclose(model.log_prob(x).data, expected, rtol=1e-9)


@pytest.mark.parametrize("bell", BELLS)
@pytest.mark.parametrize("order", ORDERS)
def test_equals_the_loop_over_d(order, bell):
    model = make(6, order=order, bell=bell)
    x = np.random.default_rng(3).standard_normal((4, 6))
    np.testing.assert_allclose(model.log_prob(x).data, loop_log_prob(model, x).data, rtol=1e-12)
    np.testing.assert_allclose(model.log_prob(x).data, model.log_conditionals(x).sum(axis=1), rtol=1e-12)


def test_an_order_is_a_permutation_of_the_columns():
    order = np.array([2, 0, 3, 1])
    model, natural = make(4, order=order), make(4)  # the same parameters
    x = np.random.default_rng(4).standard_normal((5, 4))
    np.testing.assert_allclose(model.log_prob(x).data, natural.log_prob(x[:, order]).data, rtol=1e-12)
    for ours, theirs in zip(model.conditionals(x), natural.conditionals(x[:, order])):
        np.testing.assert_allclose(ours[:, order], theirs, rtol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_a_conditional_depends_on_what_comes_before_it_and_on_nothing_else(order):
    model = make(6, 20, order=order, activation="tanh")
    rank, x = np.argsort(model.order), np.random.default_rng(5).standard_normal((1, 6))
    for name in Mixture._fields:
        t = Tensor(x, requires_grad=True)
        J = np.zeros((6, 6))  # row: what is moved; column: whose conditional
        for d in range(6):
            out = getattr(model.mixtures(t[:, model.order]), name)[rank[d], 0, 0]
            J[:, d] = minigrad.grad(out, t, retain_graph=True)[0].data[0]
        np.testing.assert_array_equal(J != 0, rank[:, None] < rank[None, :])


# ---- gradients
@pytest.mark.parametrize("bell", BELLS)
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_gradients_equal_central_differences(bell, activation):
    model = make(4, order="random", bell=bell, activation=activation)
    names, rng = [name for name, _ in model.named_parameters()], np.random.default_rng(6)
    x = rng.standard_normal((5, 4))

    def log_prob(x, *parameters):
        twin = copy.copy(model)
        vars(twin).update(zip(names, parameters))
        return twin.log_prob(x)

    inputs = [x, *(p.data.copy() for p in model.parameters())]
    minigrad.gradcheck(log_prob, inputs, rng=rng, order=2 if activation == "sigmoid" and bell == "gaussian" else 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bell", BELLS)
def test_a_dead_component_and_a_distant_x_give_finite_numbers(bell, dtype):
    """Each line is a way to NaN if log p or its gradient leave the logarithms: 0/0, inf − inf, 0 · inf."""
    x = np.array([[0.0, 0.0], [1.0, -1.0], [1000.0, -1000.0]], dtype)
    cases = ([-1000, 0, 0], [0, 0, 0]), ([1000, 0, 0], [0, 0, 0]), ([0, 0, 0], [-1000, 0, 0]), ([0, 0, 0], [-1000] * 3), (
        [-1e4, 0, 0], [-1000, 1000, 0]), ([-200] * 3, [60] * 3)  # fmt: skip
    for b_alpha, b_sigma in cases:
        model = RNADE(2, 4, 3, rng=np.random.default_rng(0), bell=bell, dtype=dtype)
        model.b_alpha.data[:], model.b_sigma.data[:] = b_alpha, b_sigma
        log_p = model.log_prob(x)
        log_p.sum().backward()
        assert np.isfinite(log_p.data).all()
        for name, p in model.named_parameters():
            assert np.isfinite(p.grad).all(), (name, b_alpha, b_sigma)
        if max(b_sigma) == 0:
            assert np.isfinite(model.sample(50, np.random.default_rng(1))).all()


def test_a_dead_component_leaves_the_density_of_the_others():
    model, twin = make(2, 4, 3), make(2, 4, 2)
    for name, p in twin.named_parameters():
        q = dict(model.named_parameters())[name]
        p.data = q.data[..., :2] if name[:2] in ("V_", "b_") else q.data
    model.b_alpha.data[..., 2] = -1000
    x = np.random.default_rng(7).standard_normal((6, 2))
    np.testing.assert_allclose(model.log_prob(x).data, twin.log_prob(x).data, rtol=1e-12)
    up_to = np.exp(model.conditionals(x).log_alpha)
    assert (up_to[..., 2] == 0).all()
    model.b_mu.data[..., 2] = 1e6  # it would be seen in a sample
    assert np.abs(model.sample(2000, np.random.default_rng(8))).max() < 1e3


def test_far_away_the_log_density_is_the_nearest_bells():
    """1000 sigma away a density is e^-500,000: its logarithm must still be right, and the gradient point back."""
    model = make(1, 0, 2)
    for p, value in ((model.b_mu, [0, 1]), (model.b_alpha, [0, 0]), (model.b_sigma, [0, 0])):
        p.data[...] = value
    sigma = 1 + 1e-3
    x = Tensor(np.array([[1001.0]]), requires_grad=True)
    log_p = model.log_prob(x)
    expected = -((1000 / sigma) ** 2) / 2 - math.log(2 * sigma * math.sqrt(2 * math.pi))  # half of the weight
    assert log_p.item() == pytest.approx(expected, rel=1e-12)
    assert minigrad.grad(log_p.sum(), x)[0].item() == pytest.approx(-1000 / sigma**2, rel=1e-12)


# ---- samples
@pytest.mark.parametrize("bell", BELLS)
@pytest.mark.parametrize("seed", range(3))
def test_samples_match_the_conditionals(bell, seed):
    """F(x_d | x_<d) of a right sample is uniform on (0, 1) and independent of all others: moments within 3 standard errors."""
    n, dim = 4000, 4
    model = make(dim, order="random", bell=bell, seed=seed, activation="sigmoid")  # relus let sigma grow without bound
    x = model.sample(n, np.random.default_rng(seed + 10))
    u = cdf(model.conditionals(x), x, bell)  # (n, D)
    for power in (1, 2, 3):
        error = (u**power).mean(axis=0) - 1 / (power + 1)
        assert (np.abs(error) < 3 * np.sqrt((1 / (2 * power + 1) - 1 / (power + 1) ** 2) / n)).all()  # 12 numbers a seed
    correlation = np.corrcoef(u.T)[np.triu_indices(dim, 1)]
    assert (np.abs(correlation) < 3 / np.sqrt(n)).all()


def test_the_mean_log_density_of_samples_is_the_negative_entropy():
    for seed in range(3):
        model, n = make(1, seed=seed), 5000
        grid = np.linspace(-40, 40, 4001)[:, None]
        log_p = model.log_prob(grid).data
        expected = (np.exp(log_p) * log_p).sum() * (grid[1] - grid[0]).item()
        ours = model.log_prob(model.sample(n, np.random.default_rng(seed))).data
        assert abs(ours.mean() - expected) < 3 * ours.std() / math.sqrt(n)


def test_the_same_seed_gives_the_same_samples_in_the_models_number_type():
    model = RNADE(3, 4, 2, rng=np.random.default_rng(0))
    one, two, other = (model.sample(5, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one.dtype == np.float32 and (one == two).all() and (one != other).any()


# ---- marginals and completions
def test_a_marginal_equals_the_integral_over_the_rest():
    model = make(2, order=np.array([1, 0]), size=0.4)
    x, grid = np.array([[0.0, 0.3], [np.nan, -1.0]]), np.linspace(-30, 30, 3001)
    observed = np.array([False, True])
    joint = [np.exp(model.log_prob(np.stack([grid, np.full(3001, row[1])], axis=1)).data).sum() * (grid[1] - grid[0]) for row in x]
    np.testing.assert_allclose(model.log_marginal(x, observed), np.log(joint), rtol=1e-9)


def test_a_completion_keeps_what_is_observed_and_draws_the_rest_from_its_conditional():
    model, n = make(3, order=np.array([2, 0, 1]), activation="sigmoid"), 4000
    x = np.tile([np.nan, np.nan, 0.7], (n, 1))  # what is not observed is not read
    complete = model.complete(x, np.array([False, False, True]), np.random.default_rng(9))
    assert (complete[:, 2] == 0.7).all()
    u = cdf(model.conditionals(complete), complete, "gaussian")[:, :2]
    assert (np.abs(u.mean(axis=0) - 0.5) < 3 / np.sqrt(12 * n)).all()
    mean = model.impute(x[:500], np.array([False, False, True]), np.random.default_rng(10), samples=4).mean(axis=0)
    spread = np.sqrt(complete.var(axis=0) * (1 / n + 1 / 2000))
    assert (np.abs(mean - complete.mean(axis=0)) < 3 * spread)[:2].all() and mean[2] == pytest.approx(0.7)


def test_what_is_observed_must_come_first():
    with pytest.raises(ValueError, match="variable 1 is observed, but variable 0"):
        make(3).complete(np.zeros((2, 3)), np.array([False, True, False]), np.random.default_rng(0))


def test_an_ensemble_over_orders_is_a_density_too():
    parts = [make(2, seed=k, size=0.4, order=np.array(order), activation="sigmoid") for k, order in enumerate(([0, 1], [1, 0]))]
    mixture, grid = Ensemble(parts), np.linspace(-25, 25, 251)
    for part in parts:
        part.b_sigma.data = np.maximum(part.b_sigma.data, -0.3)
    x = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    assert abs(np.exp(mixture.log_prob(x).data).sum() * (grid[1] - grid[0]) ** 2 - 1) < 1e-9
    drawn = mixture.sample(500, np.random.default_rng(12))
    assert drawn.dtype == np.float64 and drawn.shape == (500, 2)


# ---- the start, saved, and wrong
def test_starts_near_the_data_in_any_order_and_from_a_constant_column():
    rng = np.random.default_rng(11)
    model = RNADE(3, 4, 5, rng=rng, order=np.array([2, 0, 1]), dtype=np.float64)
    x = rng.standard_normal((200, 3)) * [1, 20, 0] + [0, 300, -7]
    model.start_from_means(x)
    start = model.conditionals(x[:4])
    np.testing.assert_allclose(start.mean().mean(axis=0), [0, 300, -7], atol=3)
    np.testing.assert_allclose(np.exp(start.log_sigma).mean(axis=(0, 2)) * math.sqrt(5), [1, 20, 0], rtol=0.3, atol=0.1)
    assert np.isfinite(model.log_prob(x).data).all()


def test_a_saved_model_is_the_same_density_and_another_order_is_refused():
    model, twin = (RNADE(4, 3, 2, rng=np.random.default_rng(0), order="random") for _ in range(2))
    model.start_from_means(np.random.default_rng(1).standard_normal((50, 4)))
    twin.load_state_dict(model.state_dict())
    x = np.zeros((1, 4))
    assert model.log_prob(x).item() == twin.log_prob(x).item()
    with pytest.raises(ValueError, match="another order"):
        RNADE(4, 3, 2, rng=np.random.default_rng(0), order=np.roll(model.order, 1)).load_state_dict(model.state_dict())


def test_wrong_input_is_named():
    model = RNADE(3, 4, 2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"shape \(B, 3\), not \(2, 4\)"):
        model.log_prob(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"shape \(B, 3\), not \(3,\)"):
        model.nll(np.zeros(3))
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"x\[1, 2\] is {bad}"):
            model.conditionals(np.array([[0, 0, 0], [0, 0, bad]]))
    for keywords, message in ({"bell": "cauchy"}, "laplace"), ({"floor": 0.0}, "above 0"), ({"order": [0, 0, 1]}, "permutation"):
        with pytest.raises(ValueError, match=message):
            RNADE(3, 4, 2, rng=np.random.default_rng(0), **keywords)
