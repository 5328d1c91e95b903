r"""Finding the root of a function that can only be measured, with noise: the line that all learning methods of rl/ share.

Wanted is w* with g(w*) = 0. No formula of g is known; asked at w, the world answers g̃(w) = g(w) + η. Robbins and Monro:

    w_{k+1} = w_k − a_k g̃(w_k)                                                       (Zhao, section 6.2)

What differs from method to method is only what is measured:

    the mean of x           g(w) = w − E[x]                 g̃ = w − x_k                                 `incremental_mean`
    SGD, mini-batches       g(w) = E[∇f(w, x)]              g̃ = mean over a batch of ∇f(w, x_j)         `descend`
    TD(0)                   g(v) = v − (r_π + γ P_π v)      g̃ = v(s) − (r + γ v(s')) at s, 0 elsewhere  `td`

It gets there with probability 1 (Zhao, theorem 6.1) if

    (a)  0 < c₁ ≤ g'(w) ≤ c₂ for all w                g rises, but never faster than some straight line
    (b)  Σ a_k = ∞ and Σ a_k² < ∞                     steps that reach any distance, and yet die out
    (c)  E[η_k | the past] = 0, E[η_k² | the past] < ∞       answers that are right on average, and not too wild

These are enough, not necessary: tanh(w − 1) breaks (a) far out, and works. But w³ − 5 breaks it, too, and Zhao's own
example with a_k = 1/k explodes. `conditions` says which of them fails, as far as numbers can tell.

The theorem behind it is Dvoretzky's: Δ_{k+1} = (1 − α_k) Δ_k + β_k η_k goes to 0 if Σ α_k = ∞, Σ α_k² < ∞, Σ β_k² < ∞ and
(c). For the mean that is plain: Δ_k = w_k − E[x] and η_k = x_k − E[x] give it with α_k = β_k = a_k. For a vector, TD's v, the
mean of η_k need not be 0, if it shrinks with the error, ‖E[η_k]‖∞ ≤ γ ‖Δ_k‖∞ with γ < 1, while the variance of η_k is at most
C (1 + ‖Δ_k‖∞)², and β_k ≤ α_k (Zhao, theorem 6.3).

    N   steps; k = 1 ... N counts them, so that a_k = 1/k is no division by zero. n, m, F: samples, samples of a batch,
        numbers of one sample. history[0] is w₁, the start; history[k] is w_{k+1}, after k steps
    g   here, as in the book, the function whose root is sought (elsewhere in rl/ a return); a_k a step size (α elsewhere)

Source: Zhao, chapter 6, box 7.1, section 10.3; Robbins and Monro 1951.
"""

from typing import NamedTuple

import numpy as np

from .episodes import check_record
from .mdp import check_count, check_distributions, check_gamma


def harmonic(k):
    """a_k = 1/k, the step sequence of a mean."""
    return 1 / k


def step_sizes(a, steps):
    """a_1 ... a_N (N,), of a step sequence: a number, an array of at least N, or a function of k = 1, 2, ...

    ValueError if there are too few, or one is negative (it would walk away from the root), NaN or infinite.
    """
    steps = check_count(steps, "steps", 0)
    sizes = [a(k) for k in range(1, steps + 1)] if callable(a) else np.full(steps, a) if np.ndim(a) == 0 else a
    sizes = np.asarray(sizes, np.float64)[:steps]  # (N,)
    if sizes.shape != (steps,):
        raise ValueError(f"a: {steps} step sizes are needed, one number each, not an array {sizes.shape}")
    if (wrong := ~((sizes >= 0) & (sizes < np.inf))).any():
        raise ValueError(f"a: a_{np.argmax(wrong) + 1} is {sizes[wrong][0]}: each must be a finite number >= 0")
    return sizes


def robbins_monro(g, w, a, steps):
    r"""w_{k+1} = w_k − a_k g̃(w_k): all w from w₁ to w_{N+1}, (N + 1, ...).    (Zhao, section 6.2)

    g:  the black box: g(w, k) is the k-th measurement, k = 1, 2, ..., an array of w's shape; it must not change w
    w:  the start w₁, a number or an array (of many parallel runs, say);  a: see `step_sizes`

    Divergence is an answer, no error: what grows over all bounds ends as inf or NaN. ValueError if g's shape is not w's.
    """
    w, sizes = np.asarray(w, np.float64), step_sizes(a, steps)
    history = np.empty((len(sizes) + 1, *w.shape))
    history[0] = w
    with np.errstate(over="ignore", invalid="ignore"):
        for k, a_k in enumerate(sizes, start=1):
            answer = g(history[k - 1], k)
            if np.shape(answer) != w.shape:
                raise ValueError(f"robbins_monro: g(w, {k}) has shape {np.shape(answer)}, not that of w, {w.shape}")
            history[k] = history[k - 1] - a_k * answer
    return history


# ---- the mean


def batch_mean(x):
    """(1/n) Σ x_i, of samples (n, ...): known when all are there. ValueError if there are none."""
    if not len(x):
        raise ValueError("batch_mean: no samples")
    return np.sum(x, axis=0) / len(x)


def incremental_mean(x, a=harmonic, start=0.0):
    r"""w_{k+1} = w_k − a_k (w_k − x_k): (n + 1, ...), the mean so far after each sample.    (Zhao, section 6.1)

    With a_k = 1/k it is the mean of x_1 ... x_k: the first step is a whole one, and the start is forgotten. With a
    constant a_k it is a mean that forgets: sample i counts a (1 − a)^(k−i), and the start (1 − a)^k.
    """
    x = np.asarray(x, np.float64)
    return robbins_monro(lambda w, k: w - x[k - 1], np.broadcast_to(start, x.shape[1:]), a, len(x))


# ---- gradient descent: BGD, MBGD, SGD


def descend(gradient, w, x, batches, a):
    r"""w_{k+1} = w_k − a_k (1/m) Σ_{j in batch k} ∇f(w_k, x_j), to make E[f(w, x)] small: (N + 1, F).    (Zhao, section 6.4)

    gradient(w (F,), x (m, F)) -> (m, F), the slope for each sample.  x (n, F).  batches (N, m): which samples each step takes
    """
    x, batches = np.asarray(x, np.float64), np.asarray(batches)
    if batches.ndim != 2 or not batches.shape[1] or batches.dtype.kind not in "iu" or not ((0 <= batches) & (batches < len(x))).all():
        raise ValueError(f"batches must be (N, m) integers of 0 ... {len(x) - 1}, not {batches.dtype} {batches.shape}")
    return robbins_monro(lambda w, k: gradient(w, x[batches[k - 1]]).mean(axis=0), w, a, len(batches))


def whole_batches(n, steps):
    """Batches (N, n) of BGD: all samples in every step; what is left is no noise, but each step costs n slopes."""
    n, steps = check_count(n, "n", 1), check_count(steps, "steps", 0)
    return np.tile(np.arange(n), (steps, 1))  # (N, n)


def random_batches(n, m, steps, rng):
    """Batches (N, m) of MBGD; m = 1 is SGD. Drawn with replacement: even m = n is not BGD, as some samples come twice."""
    n, m, steps = check_count(n, "n", 1), check_count(m, "m", 1), check_count(steps, "steps", 0)
    return rng.integers(n, size=(steps, m))  # (N, m)


def mean_gradient(w, x):
    r"""∇f of f(w, x) = ½ ‖w − x‖², whose minimum is the mean: w − x.    (Zhao, section 6.4.4)

    With a_k = 1/k: BGD is at x̄ after one step; MBGD is the mean of the batch means so far; SGD the mean of the samples so far.
    """
    return w - x


def relative_error(noisy, true):
    r"""δ_k = |g̃ − g| / |g|, of slopes (N, F) each: (N,).    (Zhao, section 6.4.2)

    Where g' ≥ c, δ_k ≤ |g̃ − g| / (c |w_k − w*|): far away a single sample shows the way nearly as well as all of them; close
    by it is all noise.
    """
    return np.linalg.norm(noisy - true, axis=-1) / np.linalg.norm(true, axis=-1)  # (N,)


# ---- TD(0)


def td(v, experience, a, gamma):
    r"""TD(0) as Robbins–Monro for the Bellman equation g(v) = v − (r_π + γ P_π v) = 0: all v, (N + 1, S).   (Zhao, box 7.1)

    Row k of the record measures one entry of g, that of its state, with noise: v(s) − (r + γ v(s')). So a_k counts for that
    state only, and each state must come again and again for its own Σ a_k to be infinite. v (S,): the start.

    linear_value.td with one feature a state does the same to the bit.
    """
    check_record("td", experience, len(v))
    (state, reward, next_state, terminated, _), gamma = experience, check_gamma(gamma)

    def g(v, k):
        s, s2, answer = state[k - 1], next_state[k - 1], np.zeros_like(v)
        answer[s] = v[s] - (reward[k - 1] + (0.0 if terminated[k - 1] else gamma * v[s2]))
        return answer

    return robbins_monro(g, v, a, len(state))


# ---- the mean of what another distribution draws


def importance_terms(x, target, behaviour, drawn):
    r"""(p₀(x_i) / p₁(x_i)) x_i, (n,): their mean goes to E[x] under p₀, though p₁ drew.    (Zhao, section 10.3.1)

    x (K,): the outcomes;  target p₀, behaviour p₁ (K,);  drawn (n,): numbers of the outcomes. Where p₀ > 0 but p₁ = 0, no
    weight helps: what is never drawn is missing from the mean, and no sample tells.
    """
    target, behaviour = np.asarray(target, np.float64), np.asarray(behaviour, np.float64)
    x, drawn = np.asarray(x, np.float64), np.asarray(drawn)
    check_distributions(np.stack([target, behaviour]), "importance_terms: target and behaviour")
    if x.shape != target.shape or drawn.dtype.kind not in "iu" or not ((0 <= drawn) & (drawn < len(x))).all():
        raise ValueError(f"importance_terms: x must be (K,) = {target.shape}, drawn integers of 0 ... {target.size - 1}")
    if not (behaviour[drawn] > 0).all():
        raise ValueError("importance_terms: an outcome was drawn that behaviour gives no probability")
    return target[drawn] / behaviour[drawn] * x[drawn]  # (n,)


# ---- the three conditions


class Finding(NamedTuple):
    """One condition: does it hold (True, False, or None where numbers cannot tell), and what was seen."""

    condition: str
    holds: bool | None
    seen: str


def conditions(g, a, noise, low, high, rng):
    r"""The conditions of Zhao's theorem 6.1, looked at in numbers: a list of five Findings, for w a number.

    g(w): without noise.  a: see `step_sizes`.  noise(w, n, rng): n successive answers' errors at w, (n,).  low, high: where w is
    expected to be. No program can prove them: it sees finitely many w, a_k and η. "False" means that what was seen contradicts
    the condition, "True" that it does not.
    """
    return [slope_condition(g, low, high), *step_conditions(a), *noise_conditions(noise, low, high, rng)]


def failing(findings):
    """The names of the conditions that do not hold."""
    return [finding.condition for finding in findings if finding.holds is False]


def slopes(g, low, high, n):
    """The least and the largest slope of g between neighbours of n + 1 points from low to high."""
    w = np.linspace(low, high, n + 1)
    slope = np.diff([g(x) for x in w]) / np.diff(w)  # (n,)
    return slope.min(), slope.max()


def slope_condition(g, low, high):
    r"""(a) 0 < c₁ ≤ g' ≤ c₂. Twice the points: a c₁ that shrinks is on its way to 0, a c₂ that grows to infinity. Twice the
    region: the theorem asks it of *every* w, and if the bounds move there, w is safe only as long as it stays inside."""
    if not low < high:
        raise ValueError(f"low must be less than high, not {low} and {high}")
    stays = lambda one, two: two[0] > 0 and two[0] > 0.9 * one[0] and two[1] < 1.1 * one[1]
    half = (high - low) / 2
    coarse, fine, wide = slopes(g, low, high, 500), slopes(g, low, high, 1000), slopes(g, low - half, high + half, 2000)
    seen = f"slope {fine[0]:.3g} to {fine[1]:.3g} in [{low:g}, {high:g}], {wide[0]:.3g} to {wide[1]:.3g} in a region twice as wide"
    if stays(coarse, fine) and not stays(fine, wide):
        seen += ": bounded only while w stays inside"
    return Finding("(a) slope", bool(stays(coarse, fine) and stays(fine, wide)), seen)


def step_conditions(a, powers=16):
    r"""(b) Σ a_k = ∞, Σ a_k² < ∞. Sum up blocks, k = 2^j + 1 ... 2^{j+1}. For a_k ~ k^−p the ratio of successive block sums goes
    to 2^{1−p}: from 1 on the whole sum is infinite, below 1 it is finite. Just below 1 (1/(k ln k): 0.94) is left open.
    """
    sizes, found = step_sizes(a, 2**powers), []
    for name, terms, infinite in (("(b) sum of a_k", sizes, True), ("(b) sum of a_k^2", sizes**2, False)):
        before, last = terms[2 ** (powers - 2) : 2 ** (powers - 1)].sum(), terms[2 ** (powers - 1) :].sum()
        ratio = last / before if before else 0.0
        grows = True if ratio > 0.9999 else False if ratio < 0.9 else None
        seen = f"{terms.sum():.4g} up to k = {2**powers:,}; each doubling of k adds {ratio:.4f} times as much as the one before"
        found.append(Finding(name, None if grows is None else grows == infinite, seen))
    return found


def noise_conditions(noise, low, high, rng, n=100_000):
    r"""(c) E[η_k | the past] = 0 and E[η_k²] < ∞, at low, middle and high; the worst of the three counts.

    Mean: within 4 standard errors of 0, nor may one error foretell the next. Variance: where it is finite, the largest of n
    squares is a vanishing share of their sum; where it is not (Cauchy), a few squares are the sum. Between .01 and .1: open.
    """
    seen = []
    for w in (low, (low + high) / 2, high):
        eta = np.asarray(noise(w, n, rng), np.float64)  # (n,)
        if eta.shape != (n,) or not np.isfinite(eta).all():
            raise ValueError(f"noise(w, {n}, rng) must be {n} finite numbers, of shape ({n},); at w = {w} it has shape {eta.shape}")
        total = (eta**2).sum() or 1.0  # without any noise all below is 0
        seen.append((abs(eta.sum()) / total**0.5, abs(eta[1:] @ eta[:-1]) / total * n**0.5, (eta**2).max() / total))
    bias, past, share = np.max(seen, axis=0)
    tame = False if share > 0.1 else True if share < 0.01 else None
    mean = f"{bias:.1f} standard errors of {n:,} from 0; the last error foretells the next by {past:.1f}"
    return [
        Finding("(c) mean of the noise", None if tame is False else bool(bias < 4 and past < 4), mean),
        Finding("(c) variance of the noise", tame, f"the largest of {n:,} squares is {share:.2%} of their sum"),
    ]
