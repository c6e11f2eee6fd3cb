"""The figures of an evaluation, computed again by loops, and the choice of the best baseline."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from fairloop.agents.baselines import Entrant, Member
from fairloop.agents.config import EvaluationConfig
from fairloop.agents.constraints.figures import constraint_names
from fairloop.agents.evaluate import best_baseline, evaluate, first_slate_ndcg
from fairloop.agents.families import TopK
from fairloop.agents.jobs import Serve
from fairloop.agents.outcomes import Arena, UserTotals
from fairloop.agents.references import LIMITED, MYOPIC, PLANNING, reference_entrants
from fairloop.agents.report import EvaluationReport
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.features import FEATURES
from fairloop.simulators.policies import StaticWeights
from fairloop.simulators.policies.limit_prices import LimitPrices
from fairloop.simulators.policies.oracles import PlanningOracle
from fairloop.simulators.rollout import simulate

CONFIG = EvaluationConfig(seeds=3, n_bootstrap=4000)


@dataclass(frozen=True)
class Weighted:
    """Makes a policy that avoids what was just shown and lifts the long tail by ``extra``."""

    name: str
    extra: float

    def __call__(self) -> StaticWeights:
        by_name = {"base": 1.0, "satiation": -3.0, "fatigue": -3.0}
        weights = [by_name.get(name, 0.0) for name in FEATURES]
        return StaticWeights(np.array([*weights, self.extra, 0.0]), self.name)


def entrant(make, name: str, kind="baseline") -> Entrant:
    return Entrant(name, kind, make, {"x": 1.5}, 7)


PRICED = LimitPrices((0.1,))
TOP_K = Member(TopK(), np.zeros(0), np.zeros(2))


@pytest.fixture(scope="module")
def entrants(candidates) -> list[Entrant]:
    return [
        entrant(TOP_K, "top-k"),
        entrant(Weighted("lifted", 2.5), "lifted"),
        entrant(Weighted("more", 2.6), "learned", "learned"),
    ]


@pytest.fixture(scope="module")
def loose(world) -> Arena:
    """A floor that every entrant but top-k holds, and none on diversity."""
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.5)
    return Arena.of(world, Constraints(exposure=(floor,)))


@pytest.fixture(scope="module")
def report(loose, entrants, candidates):
    return evaluate(loose, entrants, "learned", candidates, 11, CONFIG)


def test_every_figure_equals_a_plain_count(report, loose, entrants, candidates):
    """One user at a time, over the seeds that the report names."""
    for one in entrants:
        figures = report.figures(one.name)
        runs = [simulate(loose.world, one.make(), loose.constraints, s) for s in report.seeds]
        users = range(len(loose))
        engagement = [np.mean([r.expected_engagement[u] for r in runs]) for u in users]
        slates = [np.mean([r.n_slates[u] for r in runs]) for u in users]
        stayed = [np.mean([float(r.retained[u]) for r in runs]) for u in users]
        shown = sum(float(r.exposure.sum()) for r in runs)
        share = shown / sum(float(r.n_slates.sum()) for r in runs)
        assert figures.engagement.value == pytest.approx(np.mean(engagement))
        assert figures.slates.value == pytest.approx(np.mean(slates))
        assert figures.retained.value == pytest.approx(np.mean(stayed))
        (floor,) = figures.constraints
        assert floor.name == "exposure:popularity=long_tail" and floor.target == 0.5
        assert floor.measured.value == pytest.approx(share, rel=1e-6)
        assert (figures.parameters, figures.simulator_steps) == ({"x": 1.5}, 7)
    assert report.n_users == len(loose) and len(set(report.seeds)) == 3
    assert report.slate_size == 5 and report.published == "learned"


def test_accuracy_of_the_first_slate_equals_a_plain_count(loose, candidates):
    """Top-k's first slate is the head of each pool; users without held-out items do not count."""
    fewer = without_held_out(candidates, users=range(0, 80, 3))
    held: dict[int, set[int]] = {}
    for user, item in zip(fewer.heldout.user, fewer.heldout.item, strict=True):
        held.setdefault(int(user), set()).add(int(item))
    values = []
    for user, items in zip(loose.world.users, loose.world.pools.items, strict=True):
        relevant = held.get(int(user), set())
        if not relevant:
            values.append(np.nan)
            continue
        gain = sum(1 / np.log2(j + 2) for j, item in enumerate(items[:5]) if item in relevant)
        values.append(gain / sum(1 / np.log2(j + 2) for j in range(min(5, len(relevant)))))
    one = entrant(TOP_K, "top-k")
    found = first_slate_ndcg(loose, one, fewer, 1)
    assert np.allclose(found, values, equal_nan=True)
    assert np.isnan(found).sum() == 27
    report = evaluate(loose, [one], "top-k", fewer, 3, EvaluationConfig(seeds=1))
    ndcg = report.learned.ndcg
    assert ndcg is not None
    assert ndcg.value == pytest.approx(np.nanmean(values))
    assert ndcg.low < ndcg.value < ndcg.high


def test_accuracy_is_unknown_where_nobody_has_held_out_items(loose, candidates):
    nobody = without_held_out(candidates, users=range(80))
    one = entrant(TOP_K, "top-k")
    report = evaluate(loose, [one], "top-k", nobody, 3, EvaluationConfig(seeds=1))
    assert report.learned.ndcg is None


def without_held_out(candidates, users):
    keep = ~np.isin(candidates.heldout.user, list(users))
    columns = ("user", "item", "rating", "timestamp")
    kept = {name: getattr(candidates.heldout, name)[keep] for name in columns}
    return replace(candidates, heldout=replace(candidates.heldout, **kept))


def test_intervals_and_bounds_agree_with_a_bootstrap_in_a_loop(report, loose, entrants):
    runs = [simulate(loose.world, entrants[1].make(), loose.constraints, s) for s in report.seeds]
    engagement = np.mean([r.expected_engagement for r in runs], axis=0)
    exposure = np.mean([r.exposure[:, 0] for r in runs], axis=0)
    slates = np.mean([r.n_slates for r in runs], axis=0)
    rng = np.random.default_rng(99)
    drawn = rng.integers(0, len(loose), (4000, len(loose)))
    means = [engagement[rows].mean() for rows in drawn]
    violations = [0.5 - exposure[rows].sum() / slates[rows].sum() for rows in drawn]
    figures = report.figures("lifted")
    low, high = np.quantile(means, [0.025, 0.975])
    noise = 0.06 * (high - low)
    assert figures.engagement.low == pytest.approx(low, abs=noise)
    assert figures.engagement.high == pytest.approx(high, abs=noise)
    bound = float(np.quantile(violations, 0.95))
    assert figures.constraints[0].violation_ucb == pytest.approx(
        bound, abs=0.12 * float(np.std(violations))
    )
    # One-sided at 95 %: the upper end of a two-sided interval would lie further out.
    assert bound < float(np.quantile(violations, 0.975))


def test_the_ratio_is_paired_and_exactly_one_against_itself(report):
    held = {p.name: p.breaks_no_constraint for p in report.policies}
    assert held == {"top-k": False, "lifted": True, "learned": True}
    assert report.best_baseline == "lifted"
    itself = report.figures("lifted").engagement_ratio
    assert (itself.value, itself.low, itself.high) == (1.0, 1.0, 1.0)
    near, base = report.learned, report.figures("lifted")
    ratio = near.engagement_ratio
    assert ratio.value == pytest.approx(near.engagement.value / base.engagement.value)
    assert ratio.low < ratio.value < ratio.high
    # Near-equal policies differ by far less than users do, and pairing shows it.
    unpaired = (near.engagement.high - near.engagement.low) / base.engagement.value
    assert ratio.high - ratio.low < unpaired / 3


@pytest.fixture(scope="module")
def with_oracles(loose, entrants, candidates):
    return evaluate(loose, [*entrants, *reference_entrants()], "learned", candidates, 11, CONFIG)


def test_the_share_of_the_gap_is_paired_and_agrees_with_a_bootstrap_in_a_loop(
    with_oracles, loose, entrants
):
    assert (with_oracles.gap_from, with_oracles.gap_to) == ("top-k", "oracle")
    makes = [entrants[0].make, entrants[1].make, PlanningOracle]
    low_end, one, high_end = (
        np.mean(
            [
                simulate(loose.world, make(), loose.constraints, seed).expected_engagement
                for seed in with_oracles.seeds
            ],
            axis=0,
        )
        for make in makes
    )
    share = with_oracles.figures("lifted").gap_closed
    gap = high_end.mean() - low_end.mean()
    assert share.value == pytest.approx((one.mean() - low_end.mean()) / gap)
    rng = np.random.default_rng(99)
    drawn = rng.integers(0, len(loose), (4000, len(loose)))
    shares = [
        (one[rows].mean() - low_end[rows].mean()) / (high_end[rows].mean() - low_end[rows].mean())
        for rows in drawn
    ]
    low, high = np.quantile(shares, [0.025, 0.975])
    assert (share.low, share.high) == pytest.approx((low, high), abs=0.06 * (high - low))
    ends = [with_oracles.figures(name).gap_closed for name in ("top-k", "oracle")]
    assert [(e.value, e.low, e.high) for e in ends] == [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0)]


def test_a_reference_is_never_the_best_baseline_nor_changes_other_figures(with_oracles, report):
    """However much it brings: here both oracles bring more, and the table says what they are."""
    assert with_oracles.best_baseline == report.best_baseline == "lifted"
    kinds = {p.name: p.kind for p in with_oracles.policies}
    assert [name for name, kind in kinds.items() if kind == "reference"] == [MYOPIC, PLANNING]
    assert with_oracles.figures(PLANNING).reference and not with_oracles.learned.reference
    assert with_oracles.figures(PLANNING).engagement_ratio.low > 1.0
    for before in report.policies:
        after = with_oracles.figures(before.name)
        assert before.gap_closed is None and after.gap_closed is not None
        assert after.model_copy(update={"gap_closed": None}) == before


def test_references_under_limits_are_other_ends_of_the_gap(loose, entrants, candidates):
    """Shares of every policy follow from the engagement at both ends."""
    weaker = Entrant(LIMITED, "reference", lambda: PlanningOracle(limits=PRICED), {"held": 1.0}, 0)
    all_of_them = [*entrants, *reference_entrants(), weaker]
    report = evaluate(loose, all_of_them, "learned", candidates, 11, CONFIG)
    assert report.gaps_to == (LIMITED,)
    brought = {p.name: p.engagement.value for p in report.policies}
    gap = brought[LIMITED] - brought["top-k"]
    for figures in report.policies:
        share = figures.gaps_closed[LIMITED]
        assert share.value == pytest.approx((brought[figures.name] - brought["top-k"]) / gap)
        assert share.low <= share.value <= share.high
    assert report.figures(LIMITED).gaps_closed[LIMITED].low == 1.0
    learned = report.learned
    assert learned.gaps_closed[LIMITED].value > learned.gap_closed.value > 0.0


def test_a_gap_that_may_be_none_has_no_share(loose, candidates):
    """The oracle's place taken by the base order itself: nothing lies between."""
    ends = [entrant(TOP_K, name, "reference") for name in (PLANNING, LIMITED)]
    same = [entrant(TOP_K, "top-k"), *ends]
    report = evaluate(loose, same, "top-k", candidates, 1, EvaluationConfig(seeds=1))
    assert report.gap_to == PLANNING and all(p.gap_closed is None for p in report.policies)
    assert not any(p.gaps_closed for p in report.policies)


def test_a_report_that_was_stored_before_there_were_references_is_read(report):
    old = report.model_dump(mode="json")
    for name in ("gap_from", "gap_to", "gaps_to"):
        del old[name]
    for figures in old["policies"]:
        del figures["gap_closed"], figures["gaps_closed"]
    assert EvaluationReport.model_validate(old) == report


def test_without_a_baseline_that_holds_each_is_compared_with_itself(world, entrants, candidates):
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.999)
    strict = Arena.of(world, Constraints(exposure=(floor,)))
    report = evaluate(strict, entrants, "learned", candidates, 1, EvaluationConfig(seeds=1))
    assert report.best_baseline is None
    assert all(p.engagement_ratio.low == p.engagement_ratio.high == 1.0 for p in report.policies)
    assert not any(p.breaks_no_constraint for p in report.policies)


def test_same_seed_same_report_and_order_does_not_matter(report, loose, entrants, candidates):
    again = evaluate(loose, entrants[::-1], "learned", candidates, 11, CONFIG)
    assert again.policies[::-1] == report.policies
    other = evaluate(loose, entrants[:1], "top-k", candidates, 12, CONFIG)
    assert not set(other.seeds) & set(report.seeds)


def test_progress_counts_the_policies(loose, entrants, candidates):
    seen: list[tuple[int, int]] = []
    quick = EvaluationConfig(seeds=1, n_bootstrap=100)
    evaluate(loose, entrants[:2], "top-k", candidates, 1, quick, lambda *done: seen.append(done))
    assert seen == [(1, 2), (2, 2)]


def test_a_served_policy_is_evaluated_without_its_training_state(policy, arena, candidates):
    """A random policy made twice brings the same: `make` starts it anew for each run."""
    twice = [entrant(Serve(policy), "a"), entrant(Serve(policy), "b", "learned")]
    report = evaluate(arena, twice, "b", candidates, 5, EvaluationConfig(seeds=2))
    assert report.figures("a").engagement == report.figures("b").engagement
    assert [c.name for c in report.learned.constraints][-1] == "diversity"


def level(share: float, diversity: float, engagement: float) -> UserTotals:
    n = 4
    return UserTotals(
        engagement=np.full(n, -engagement),  # sampled engagement must not decide
        expected_engagement=np.full(n, engagement),
        slates=np.full(n, 2.0),
        measured=np.tile([2 * share, 2 * diversity], (n, 1)),
        retained=np.ones(n),
        n_slates=8,
    )


TARGETS = np.array([0.4, 0.6])


@pytest.mark.parametrize(
    ("found", "best"),
    [
        ([(0.5, 0.7, 5.0), (0.5, 0.7, 6.0), (0.5, 0.7, 9.0)], 1),
        ([(0.5, 0.7, 5.0), (0.39, 0.7, 6.0), (0.5, 0.7, 9.0)], 0),
        ([(0.5, 0.7, 5.0), (0.5, 0.59, 6.0), (0.5, 0.7, 9.0)], 0),
        ([(0.4, 0.6, 5.0), (0.0, 0.0, 6.0), (0.5, 0.7, 9.0)], 0),
        ([(0.1, 0.7, 5.0), (0.5, 0.1, 6.0), (0.5, 0.7, 9.0)], None),
    ],
)
def test_the_best_baseline_holds_every_floor_and_is_no_learned_policy(found, best):
    kinds = ("baseline", "baseline", "learned")
    entrants = [entrant(TOP_K, kind, kind) for kind in kinds]
    totals = [level(*figures) for figures in found]
    assert best_baseline(entrants, totals, TARGETS) == best


def test_constraints_are_named_in_the_order_of_the_specification():
    floors = tuple(
        ExposureFloor(attribute=a, group=g, share=0.1) for a, g in (("x", "y"), ("a", "b"))
    )
    assert constraint_names(Constraints(exposure=floors, min_diversity=0.5)) == (
        "exposure:x=y",
        "exposure:a=b",
        "diversity",
    )
    assert constraint_names(Constraints(exposure=floors))[-1] is None
