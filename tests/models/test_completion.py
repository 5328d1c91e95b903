"""Samples, marginals and completions against brute force, for single models and for mixtures; and ensembles."""

import itertools

import numpy as np
import pytest

from models.ensemble import Ensemble, eonade
from models.fvsbn import FVSBN
from models.made import MADE
from models.nade import NADE
from models.orderless import OrderlessNADE

ORDER = np.array([3, 1, 4, 0, 2])


def all_states(n):
    """Every bit vector of length n, (2^n, n)."""
    return np.array(list(itertools.product((0, 1), repeat=n)), np.uint8)


def shaken(model, rng, size=1.0):
    """The model with parameters that hold anything."""
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape) * size
    return model


def make(name, order=ORDER, seed=0):
    """A model of len(order) bits in float64."""
    rng = np.random.default_rng(seed)
    D = len(order)
    single = {
        "fvsbn": lambda: FVSBN(D, rng=rng, order=order, dtype=np.float64),
        "nade": lambda: NADE(D, 6, rng=rng, order=order, dtype=np.float64),
        "made": lambda: MADE(D, (8,), rng=rng, order=order, direct=True, dtype=np.float64),
        "made, 3 masks": lambda: MADE(D, (9,), rng=rng, order=order, masks=3, dtype=np.float64),
        "orderless": lambda: OrderlessNADE(D, (7,), rng=rng, order=order, dtype=np.float64),
        "orderless, 2 layers": lambda: OrderlessNADE(D, (7, 6), rng=rng, order=order, activation="tanh", dtype=np.float64),
    }
    if name in single:
        return shaken(single[name](), rng)
    models = [shaken(single[part](), rng) for part in ("fvsbn", "nade", "made, 3 masks", "orderless")]
    return Ensemble(models, weights=[0.1, 0.2, 0.3, 0.4])


MODELS = ["fvsbn", "nade", "made", "made, 3 masks", "orderless", "orderless, 2 layers", "ensemble"]


def probabilities(model, states):
    """p of every state, from `log_prob`."""
    return np.exp(model.log_prob(states).data)


def marginal(p, states, x, observed):
    """p(x_O) by summing p over all states that agree with x on O, for each row of x."""
    return np.array([p[(states[:, observed] == row[observed]).all(axis=1)].sum() for row in x])


@pytest.mark.parametrize("name", ["orderless", "orderless, 2 layers", "ensemble"])
def test_probabilities_over_all_states_sum_to_one(name):
    for seed in range(3):
        assert abs(probabilities(make(name, seed=seed), all_states(5)).sum() - 1) < 1e-9


@pytest.mark.proof
@pytest.mark.parametrize("name", MODELS)
def test_probabilities_over_all_states_of_twelve_bits_sum_to_one(name):
    order = np.random.default_rng(1).permutation(12)
    for seed in range(2):
        assert abs(probabilities(make(name, order, seed), all_states(12)).sum() - 1) < 1e-9


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n_observed", range(6))
def test_marginals_equal_brute_force(name, n_observed):
    model, states = make(name), all_states(5)
    observed = np.isin(np.arange(5), ORDER[:n_observed])
    p = probabilities(model, states)
    np.testing.assert_allclose(np.exp(model.log_marginal(states, observed)), marginal(p, states, states, observed), rtol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_conditionals_equal_brute_force(name):
    model, states = make(name), all_states(5)
    p = probabilities(model, states)
    for place, d in enumerate(ORDER):
        before = np.isin(np.arange(5), ORDER[:place])
        with_one = states.copy()
        with_one[:, d] = 1
        expected = marginal(p, states, with_one, before | (np.arange(5) == d)) / marginal(p, states, states, before)
        np.testing.assert_allclose(model.conditionals(states)[:, d], expected, atol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_completions_follow_the_conditional_distribution(name):
    n, states = 4000, all_states(5)
    model, observed = make(name), np.isin(np.arange(5), ORDER[:2])
    x = states[11]
    p = probabilities(model, states)
    agree = (states[:, observed] == x[observed]).all(axis=1)
    expected = np.where(agree, p, 0) / p[agree].sum()
    unseen = np.where(observed, x, 1 - x)  # what is not observed must not be read
    drawn = model.complete(np.tile(unseen, (n, 1)), observed, np.random.default_rng(3))
    assert drawn.dtype == np.uint8 and (drawn[:, observed] == x[observed]).all()
    counts = np.bincount(drawn @ (2 ** np.arange(4, -1, -1)), minlength=32)
    assert (np.abs(counts / n - expected) < 4.5 * np.sqrt(expected * (1 - expected) / n) + 1e-9).all()
    imputed = model.impute(unseen[None], observed, np.random.default_rng(4), samples=300)[0]
    np.testing.assert_array_equal(imputed[observed], x[observed])
    np.testing.assert_allclose(imputed, expected @ states, atol=0.07)


def test_each_row_may_have_its_own_observed():
    model = make("nade")
    observed = np.array([np.isin(np.arange(5), ORDER[:n]) for n in (0, 2, 5)])
    x = all_states(5)[[7, 21, 30]]
    together = model.log_marginal(x, observed)
    for i in range(3):
        np.testing.assert_allclose(together[i], model.log_marginal(x[i : i + 1], observed[i])[0])
    np.testing.assert_array_equal(model.complete(x, observed, np.random.default_rng(0))[2], x[2])


def test_an_orderless_model_answers_for_any_region_and_says_so_elsewhere():
    states, late = all_states(5), np.isin(np.arange(5), [ORDER[4], ORDER[2]])
    model = make("orderless")
    first = np.concatenate([ORDER[[2, 4]], ORDER[[0, 1, 3]]])
    p = probabilities(model.in_order(first), states)
    np.testing.assert_allclose(np.exp(model.log_marginal(states, late)), marginal(p, states, states, late), rtol=1e-9)
    for name in set(MODELS) - {"orderless", "orderless, 2 layers"}:
        with pytest.raises(ValueError, match="variable 4 is observed, but variable 1, which comes before it"):
            make(name).log_marginal(states, late)


@pytest.mark.parametrize("observed", [np.ones(4, bool), np.ones(5), np.ones((3, 5), bool)])
def test_observed_must_fit(observed):
    for name in ("nade", "orderless", "ensemble"):
        with pytest.raises(ValueError, match="observed must be bool"):
            make(name).complete(all_states(5)[:2], observed, np.random.default_rng(0))


def test_what_is_observed_must_be_bits_and_the_rest_may_be_anything():
    observed, x = np.isin(np.arange(5), ORDER[:2]), np.full((1, 5), 0.5)
    with pytest.raises(ValueError, match="0 and 1 only"):
        make("nade").log_marginal(x, observed)
    x[:, observed] = 1
    assert np.isfinite(make("nade").log_marginal(x, observed)).all()


# ---- mixtures
def test_an_ensemble_is_the_weighted_mean_of_probabilities():
    model, states = make("ensemble"), all_states(5)
    expected = sum(w * probabilities(part, states) for w, part in zip((0.1, 0.2, 0.3, 0.4), model.models))
    np.testing.assert_allclose(probabilities(model, states), expected, rtol=1e-12)


def test_a_part_of_weight_zero_has_no_say():
    a, b = make("fvsbn"), make("nade")
    states = all_states(5)
    model = Ensemble([a, b], weights=[0, 1])
    np.testing.assert_allclose(model.log_prob(states).data, b.log_prob(states).data)
    assert np.isfinite(model.sample(3, np.random.default_rng(0))).all()


def test_an_ensemble_sends_gradients_to_its_parts_by_their_share():
    model, x = make("ensemble"), all_states(5)[[9]]
    share = 0.1 * probabilities(model.models[0], x) / probabilities(model, x)
    model.log_prob(x).sum().backward()
    got = model.models[0].b.grad.copy()
    model.zero_grad()
    model.models[0].log_prob(x).sum().backward()
    np.testing.assert_allclose(got, share * model.models[0].b.grad)


def test_eonade_is_a_mixture_over_orders_that_share_their_weights():
    model, states = make("orderless"), all_states(5)
    mixture = eonade(model, 4, np.random.default_rng(5))
    assert len({tuple(part.order) for part in mixture.models}) > 1
    assert all(part.W is model.W for part in mixture.models)
    assert abs(probabilities(mixture, states).sum() - 1) < 1e-9
    expected = np.mean([probabilities(part, states) for part in mixture.models], axis=0)
    np.testing.assert_allclose(probabilities(mixture, states), expected)
    with pytest.raises(ValueError, match="several orders"):
        mixture.conditionals(states)


def test_errors_of_an_ensemble():
    with pytest.raises(ValueError, match="models of one dim"):
        Ensemble([])
    with pytest.raises(ValueError, match=r"models of one dim, got \[5, 3\]"):
        Ensemble([make("nade"), FVSBN(3, rng=np.random.default_rng(0))])
    for weights in ([1], [0.5, 0.6], [-0.5, 1.5]):
        with pytest.raises(ValueError, match="weights must be 2 numbers"):
            Ensemble([make("nade"), make("fvsbn")], weights)
