"""The interval over training seeds and users: against a loop, and by how often it holds."""

import numpy as np
import pytest
from fairloop.metrics.bootstrap import bootstrap_sums, interval

from benchmarks.lines.training_seeds import Resampled


def drawn(n_seeds: int, n_users: int, of_seeds: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """Engagement of seeds and users ``(S, U)`` around 1.1 times a baseline's ``(U,)``."""
    user = rng.gamma(4.0, 3.0, n_users)
    seed = 1.1 + of_seeds * rng.standard_normal(n_seeds)
    return seed[:, None] * user + rng.normal(0, 1.0, (n_seeds, n_users)), user


def test_values_are_means_and_resamples_are_those_of_a_loop() -> None:
    learned, base = drawn(4, 30, 0.1, np.random.default_rng(0))
    truth = base * 2.0
    found = Resampled.of(learned, {"base": base, "truth": truth}, 3000, np.random.default_rng(1))
    assert found.ratio("base").value == pytest.approx(learned.mean() / base.mean())
    assert found.ratio("base", 2).value == pytest.approx(learned[2].mean() / base.mean())
    share = (learned.mean() - base.mean()) / (truth.mean() - base.mean())
    gap = found.gap_closed("base", "truth")
    assert gap is not None and gap.value == pytest.approx(share)
    rng = np.random.default_rng(2)
    ratios, gaps = [], []
    for _ in range(3000):
        seeds, users = rng.integers(0, 4, 4), rng.integers(0, 30, 30)
        own, other = learned[np.ix_(seeds, users)].mean(), base[users].mean()
        ratios.append(own / other)
        gaps.append((own - other) / (truth[users].mean() - other))
    for estimate, loop in ((found.ratio("base"), ratios), (gap, gaps)):
        low, high = np.quantile(loop, [0.025, 0.975])
        tolerance = 0.08 * (high - low)
        assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=tolerance)


def test_of_one_seed_only_users_are_resampled() -> None:
    learned, base = drawn(3, 40, 0.2, np.random.default_rng(3))
    found = Resampled.of(learned, {"base": base}, 4000, np.random.default_rng(4)).ratio("base", 1)
    sums = bootstrap_sums(np.stack([learned[1], base], 1), 4000, np.random.default_rng(5))
    low, high = interval(sums[:, 0] / sums[:, 1], 0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.08 * (high - low))


def test_without_a_way_there_is_no_share_of_it() -> None:
    learned, base = drawn(3, 20, 0.1, np.random.default_rng(6))
    found = Resampled.of(learned, {"a": base, "b": base}, 50, np.random.default_rng(7))
    assert found.gap_closed("a", "b") is None


@pytest.mark.parametrize("of_seeds", [0.0, 0.1])
def test_it_holds_the_truth_of_other_seeds_and_users(of_seeds: float) -> None:
    """Ten seeds: a percentile interval over so few holds a little less often than it says."""
    rng, held, users_alone = np.random.default_rng(8), 0, 0
    for _ in range(300):
        learned, base = drawn(10, 60, of_seeds, rng)
        found = Resampled.of(learned, {"base": base}, 200, rng)
        both = found.ratio("base")
        held += both.low <= 1.1 <= both.high
        low, high = np.quantile(found.each.mean(axis=0) / found.others["base"], [0.025, 0.975])
        users_alone += low <= 1.1 <= high
    assert held / 300 > 0.87
    if of_seeds:
        assert users_alone / 300 < 0.7  # which says nothing of other seeds
