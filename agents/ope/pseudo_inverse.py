"""Weights of the pseudo-inverse estimator: whole-slate rewards that are a sum over the positions.

Let ``1_s`` be the indicator of which item stands at which position, in ``k · m`` dimensions, and
let the expected reward of a slate be linear in it. Then ``w = E_π[1_s]ᵀ Γ⁺ 1_s`` with
``Γ = E_μ[1_s 1_sᵀ]`` makes the mean of w r unbiased, where the logging policy μ can show every item
at every position at which the target π shows it; with Σ w r / Σ w it is self-normalised. Nothing is
asked of the chance of whole slates, so the variance grows with k · m and not with mᵏ.

Swaminathan, Krishnamurthy, Agarwal, Dudík, Langford, Jose & Zitouni 2017, "Off-policy evaluation
for slate recommendation". The weights may be negative; the mean of them is 1.
"""

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue


def factored_weights(ratio: FloatArray) -> FloatArray:
    """Where the positions of a logged slate were drawn independently: Σ_j w_j − k + 1.

    Args:
        ratio: Target's over logging policy's probability of the item at its position, ``(n, k)``.

    Returns:
        Shape ``(n,)``.
    """
    return ratio.sum(axis=1) - ratio.shape[1] + 1.0


def uniform_weights(item: FloatArray, anywhere: FloatArray, pool_sizes: IntArray) -> FloatArray:
    """Where logged slates were drawn uniformly without replacement from m candidates.

    Γ then has four eigenspaces, those of "sums over positions" by "sums over items", with
    eigenvalues k/m, (m − k) / (m (m − 1)), 0 and 1 / (m − 1); projecting on them leaves

        w = 1 + (m − 1)(A − B) + m (m − 1)/(m − k) · (B − k/m),

    with A = Σ_j π(s_j at j) and B = (1/k) Σ_j π(s_j anywhere). For m = k, where all items are shown
    by anyone, the last term is 0.

    Args:
        item: The target's probability of each logged item at its position, shape ``(n, k)``.
        anywhere: The target's probability of each logged item at any position, ``(n, k)``.
        pool_sizes: Candidates m, shape ``(n,)``.

    Returns:
        Shape ``(n,)``.

    Raises:
        InvalidValue: A pool is smaller than the slate.
    """
    k = item.shape[1]
    m = pool_sizes.astype(np.float64)
    if (m < k).any():
        raise InvalidValue(
            f"a pool of {int(m.min())} for slates of {k}",
            field="pool_sizes",
            mend="Count the candidates that each slate was drawn from.",
        )
    at_place, by_item = item.sum(axis=1), anywhere.sum(axis=1) / k
    free = np.where(m > k, m * (m - 1.0) / np.maximum(m - k, 1.0), 0.0)
    return 1.0 + (m - 1.0) * (at_place - by_item) + free * (by_item - k / m)


def general_weights(target: FloatArray, moments: FloatArray, slates: IntArray) -> FloatArray:
    """For any logging policy whose second moments are known. O(n k + (k m)³) for one Γ.

    Args:
        target: E_π[1_s]: the target's probability of every item at every position, ``(n, k, m)``.
        moments: Γ, shape ``(k m, k m)``, or ``(n, k m, k m)`` with one for each slate; index
            ``j m + a`` is item a at position j.
        slates: Items 0 … m − 1 that were logged, shape ``(n, k)``.

    Returns:
        Shape ``(n,)``.
    """
    n, k, m = target.shape
    if slates.shape != (n, k) or moments.shape[-2:] != (k * m, k * m):
        raise InvalidValue(
            f"slates {slates.shape} and moments {moments.shape} for targets {target.shape}",
            field="moments",
            mend="Give shapes (n, k, m), (k m, k m) and (n, k).",
        )
    inverse = np.linalg.pinv(moments, hermitian=True)
    dual = np.einsum("na,...ab->nb" if moments.ndim == 2 else "na,nab->nb",
                     target.reshape(n, k * m), inverse)  # fmt: skip
    return np.take_along_axis(dual, np.arange(k) * m + slates, axis=1).sum(axis=1)


def second_moments(slates: IntArray, probabilities: FloatArray, n_items: int) -> FloatArray:
    """Γ of a logging policy whose slates can be listed, shape ``(k m, k m)``.

    Args:
        slates: All that can be shown, shape ``(S, k)``.
        probabilities: Of each, shape ``(S,)``.
        n_items: Items m.
    """
    k = slates.shape[1]
    indicator = np.zeros((len(slates), k * n_items))
    np.put_along_axis(indicator, np.arange(k) * n_items + slates, 1.0, axis=1)
    return (indicator * probabilities[:, None]).T @ indicator
