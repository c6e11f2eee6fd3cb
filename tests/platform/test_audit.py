"""The audit's figures against plain numpy, its outcomes on planted gaps, and bad input."""

import dataclasses

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.errors import EmptyData, InvalidValue
from fairloop.metrics import accuracy, diversity, exposure
from fairloop.platform.audit.compute import AuditConfig, AuditInputs, compute_audit
from fairloop.rerankers.constraints import Constraints, ExposureFloor, HardFilters

N_USERS, N_ITEMS, K = 300, 60, 5
QUICK = AuditConfig(n_bootstrap=300, n_permutations=499)


def make_inputs(seed: int = 0, planted: float = 0.0) -> AuditInputs:
    """Two groups of users; those of "a" find a held-out item on top ``planted`` more often."""
    rng = np.random.default_rng(seed)
    popularity = np.sort(rng.integers(1, 200, size=N_ITEMS))[::-1].astype(float)
    weight = np.log(popularity)
    slates = np.argsort(-(weight + rng.gumbel(size=(N_USERS, N_ITEMS))), axis=1)[:, :K]
    kind = rng.integers(0, 2, size=N_USERS)
    kind[:12] = -1
    size = np.full(N_USERS, 1)
    size[:20] = 0
    held_users = np.repeat(np.arange(N_USERS), 3)
    held_items = rng.integers(0, N_ITEMS, size=3 * N_USERS)
    lucky = (rng.random(N_USERS) < planted) & (kind == 0)
    held_items[3 * np.flatnonzero(lucky)] = slates[lucky, 0]
    decade = rng.integers(-1, 3, size=N_ITEMS)
    catalogue = Catalogue(
        item_ids=np.array([f"i{i}" for i in range(N_ITEMS)]),
        titles=np.array([f"Title {i}" for i in range(N_ITEMS)]),
        topics=rng.random((N_ITEMS, 6)) < 0.3,
        topic_names=tuple("uvwxyz"),
        year=np.full(N_ITEMS, 1990.0),
        popularity=popularity,
        groups={
            "popularity": Groups(
                "popularity", ("head", "long_tail"), (np.arange(N_ITEMS) >= 12).astype(int)
            ),
            "decade": Groups("decade", ("70s", "80s", "90s"), decade),
        },
    )
    return AuditInputs(
        slates=slates,
        users=np.arange(N_USERS),
        catalogue=catalogue,
        user_groups={
            "kind": Groups("kind", ("a", "b"), kind),
            "size": Groups("size", ("few", "many"), size),
        },
        held_out_users=held_users,
        held_out_items=held_items,
        profile_users=np.repeat(np.arange(N_USERS), 4),
        profile_items=rng.integers(0, N_ITEMS, size=4 * N_USERS),
        about={"Data set": "made up"},
    )


def test_figures_are_those_of_the_metrics() -> None:
    inputs = make_inputs()
    report = compute_audit(inputs, QUICK)
    relevance, n_relevant = accuracy.relevance_of(
        inputs.slates, inputs.users, inputs.held_out_users, inputs.held_out_items, N_ITEMS
    )
    ndcg = accuracy.ndcg(relevance, n_relevant)
    items = inputs.catalogue
    shown = exposure.item_exposure(inputs.slates, N_ITEMS)
    recommended = items.popularity[inputs.slates].mean()
    profile = items.popularity[inputs.profile_items].mean()
    expected = {
        "ndcg": ndcg.mean(),
        "recall": accuracy.recall(relevance, n_relevant).mean(),
        "ild": diversity.intra_list_jaccard(inputs.slates, items.topics).mean(),
        "gini": diversity.gini(shown),
        "coverage": diversity.coverage(inputs.slates, N_ITEMS),
        "popularity": recommended,
        "popularity_lift": recommended / profile - 1,
        "novelty": -np.log2(items.popularity[inputs.slates] / N_USERS).mean(),
    }
    for name, value in expected.items():
        figure = report.overall[name]
        assert figure.estimate == pytest.approx(float(value)), name
        assert figure.low <= figure.estimate <= figure.high, name
        assert figure.users == N_USERS

    for attribute, part in report.item_groups.items():
        groups = items.groups[attribute]
        share = exposure.exposure_share(inputs.slates, groups.codes, len(groups.names))
        per_item = exposure.exposure_per_item(inputs.slates, groups.codes, len(groups.names))
        rows = list(part.groups.values())
        assert [row.share.estimate for row in rows] == pytest.approx(share)
        assert [row.per_item.estimate for row in rows] == pytest.approx(1000 * per_item)
        assert part.parity.estimate == pytest.approx(float(exposure.parity_ratio(per_item)))
        assert part.missing_items == groups.n_missing
        assert part.missing_share == pytest.approx(1 - share.sum(), abs=1e-12)

    codes = inputs.user_groups["kind"].codes
    for code, row in enumerate(report.user_groups["kind"].groups.values()):
        assert row.measures["ndcg"].estimate == pytest.approx(ndcg[codes == code].mean())
        assert row.users == (codes == code).sum()
    assert report.user_groups["kind"].missing_users == 12


def test_several_slates_of_a_user_count_as_one_user() -> None:
    inputs = make_inputs()
    twice = dataclasses.replace(
        inputs,
        slates=np.concatenate([inputs.slates, inputs.slates]),
        users=np.concatenate([inputs.users, inputs.users]),
    )
    once, report = compute_audit(inputs, QUICK), compute_audit(twice, QUICK)
    assert report.population.users == N_USERS
    assert report.population.slates == 2 * N_USERS
    assert report.overall["ndcg"] == once.overall["ndcg"]  # no narrower: not one user more
    for attribute, part in report.item_groups.items():
        for name, row in part.groups.items():
            before = once.item_groups[attribute].groups[name]
            assert row.share.estimate == pytest.approx(before.share.estimate)
            assert row.share.low == pytest.approx(before.share.low)
            assert row.per_item.estimate == pytest.approx(before.per_item.estimate)


def test_same_seed_same_report() -> None:
    inputs = make_inputs()
    first = compute_audit(inputs, QUICK)
    assert first == compute_audit(inputs, QUICK)
    other = compute_audit(inputs, QUICK.model_copy(update={"seed": 1}))
    assert other.overall["ndcg"].low != first.overall["ndcg"].low
    assert other.overall["ndcg"].estimate == first.overall["ndcg"].estimate


def test_a_planted_gap_is_found_and_said() -> None:
    report = compute_audit(make_inputs(planted=0.8), QUICK)
    gap = report.user_groups["kind"].gaps["ndcg"]
    assert gap.outcome == "gap"
    assert (gap.highest, gap.lowest) == ("a", "b")
    assert gap.p_holm <= 0.05
    sentence = next(s for s in report.verdict.sentences if s.startswith("Users by kind"))
    assert "a gap in NDCG@5" in sentence
    assert "1 gap found in 3 tests between groups of users" in report.verdict.headline


def test_no_gap_says_what_could_have_gone_unseen() -> None:
    report = compute_audit(make_inputs(), QUICK)
    gap = report.user_groups["kind"].gaps["ndcg"]
    assert gap.outcome == "no gap detected"
    assert gap.minimum_detectable > gap.difference
    sentence = next(s for s in report.verdict.sentences if s.startswith("Users by kind"))
    assert f"a gap under {gap.minimum_detectable:.3f} could have gone unseen" in sentence


def test_nothing_is_called_fair() -> None:
    for planted in (0.0, 0.8):
        verdict = compute_audit(make_inputs(planted=planted), QUICK).verdict
        assert "fair" not in " ".join([verdict.headline, *verdict.sentences]).lower()


def test_small_cells_are_counted_and_not_printed() -> None:
    part = compute_audit(make_inputs(), QUICK).user_groups["size"]
    assert part.suppressed == ("few",)
    few = part.groups["few"]
    assert few.users == 20
    assert few.measures["ndcg"].estimate is None
    assert few.measures["ndcg"].low is None
    assert few.measures["ndcg"].users == 20
    assert part.gaps["ndcg"].outcome == "not tested"
    assert part.groups["many"].measures["ndcg"].estimate is not None


def test_with_too_few_users_no_figure_is_printed() -> None:
    inputs = make_inputs()
    few = dataclasses.replace(inputs, slates=inputs.slates[:10], users=inputs.users[:10])
    report = compute_audit(few, QUICK)
    assert all(figure.estimate is None for figure in report.overall.values())
    shares = [g.share for part in report.item_groups.values() for g in part.groups.values()]
    assert all(share.estimate is None and share.users == 10 for share in shares)
    assert all(p.gap.outcome == "not tested" for p in report.item_groups.values())
    assert any("no figure is printed" in s for s in report.verdict.sentences)


def floors(share: float, window: int = 1000) -> Constraints:
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=share, window=window)
    return Constraints(exposure=(floor,), min_diversity=share)


@pytest.mark.parametrize(
    ("share", "status"), [(0.01, "met"), (0.999, "not met"), (None, "not decided")]
)
def test_limits_are_decided_by_the_whole_interval(share: float | None, status: str) -> None:
    inputs = make_inputs()
    measured = compute_audit(inputs, QUICK).item_groups["popularity"].groups["long_tail"].share
    config = QUICK.model_copy(update={"constraints": floors(share or measured.estimate)})
    check = compute_audit(inputs, config).targets[0]
    assert check.measured.estimate == pytest.approx(measured.estimate)
    assert check.status == status


def test_a_floor_is_measured_on_its_window_of_latest_slates() -> None:
    inputs = make_inputs()
    config = QUICK.model_copy(update={"constraints": floors(0.5, window=100)})
    check = compute_audit(inputs, config).targets[0]
    codes = inputs.catalogue.groups["popularity"].codes
    expected = exposure.exposure_share(inputs.slates[-100:], codes, 2)[1]
    assert check.slates == check.measured.users == 100
    assert check.measured.estimate == pytest.approx(expected)


def test_forbidden_items_are_counted() -> None:
    inputs = make_inputs()
    filters = HardFilters(exclude_items=frozenset({"i0"}))
    config = QUICK.model_copy(update={"constraints": Constraints(filters=filters)})
    check = compute_audit(inputs, config).targets[-1]
    assert check.measured.estimate == (inputs.slates == 0).sum() > 0
    assert check.status == "not met"


def test_empty_positions_are_counted_and_give_no_exposure() -> None:
    inputs = make_inputs()
    slates = inputs.slates.copy()
    slates[:40, -2:] = PAD
    report = compute_audit(dataclasses.replace(inputs, slates=slates), QUICK)
    assert report.population.empty_positions == 80
    total = sum(g.share.estimate for g in report.item_groups["popularity"].groups.values())
    assert total == pytest.approx(1.0)


def test_without_held_out_pairs_or_groups_the_rest_is_still_measured() -> None:
    none = np.array([], dtype=int)
    inputs = make_inputs()
    bare = dataclasses.replace(
        inputs,
        held_out_users=none,
        held_out_items=none,
        profile_users=none,
        profile_items=none,
        user_groups={},
        catalogue=dataclasses.replace(inputs.catalogue, groups={}),
    )
    report = compute_audit(bare, QUICK)
    assert report.overall["ndcg"].estimate is None
    assert report.overall["popularity_lift"].estimate is None
    assert report.overall["ild"].estimate is not None
    assert report.method.n_tests == 0


def test_progress_is_reported_to_the_end() -> None:
    steps: list[tuple[int, int]] = []
    compute_audit(make_inputs(), QUICK, lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps] == list(range(1, steps[-1][1] + 1))


def test_no_slates_is_an_error() -> None:
    inputs = make_inputs()
    empty = dataclasses.replace(inputs, slates=inputs.slates[:0], users=inputs.users[:0])
    with pytest.raises(EmptyData, match="no recorded recommendation"):
        compute_audit(empty, QUICK)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"users": np.arange(3)}, "users"),
        ({"users": np.arange(N_USERS) + 1}, "user_groups.kind"),
        ({"slates": np.full((N_USERS, K), N_ITEMS)}, "lists"),
        ({"held_out_items": np.full(3 * N_USERS, N_ITEMS)}, "held_out_items"),
        ({"held_out_items": np.zeros(1, dtype=int)}, "held_out_items"),
        ({"profile_items": np.full(4 * N_USERS, -2)}, "profile_items"),
        ({"user_groups": {"x": Groups("x", ("a",), np.full(N_USERS, 4))}}, "user_groups.x"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        compute_audit(dataclasses.replace(make_inputs(), **change), QUICK)
    assert caught.value.field == field


def test_undeclared_attributes_are_refused() -> None:
    config = QUICK.model_copy(update={"item_attributes": ("colour",)})
    with pytest.raises(InvalidValue, match="colour"):
        compute_audit(make_inputs(), config)
