"""The registry: complete, computable, documented, and equal to plain loops."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics import exposure, gaps
from fairloop.metrics.calibration import topic_distribution
from fairloop.metrics.evidence import Evidence
from fairloop.metrics.intersections import Cells
from fairloop.metrics.measure import measure
from fairloop.metrics.popularity import mean_popularity, popularity_lift, profile_popularity
from fairloop.metrics.registry import METRICS, computable, find, table
from fairloop.metrics.terms import as_terms

from benchmarks.pages import metrics as page
from benchmarks.pages.page import replaced
from benchmarks.peers import plain_metrics

ROOT = Path(__file__).resolve().parents[2]
N_USERS, N_ITEMS, K, N_TRAIN = 60, 40, 6, 500


def full_evidence(seed: int = 0) -> Evidence:
    rng = np.random.default_rng(seed)
    lists = rng.permuted(np.tile(np.arange(N_ITEMS), (N_USERS, 1)), axis=1)[:, :K]
    held = rng.random((N_USERS, N_ITEMS)) < rng.choice([0.0, 0.1, 0.4], size=(N_USERS, 1))
    users, items = np.nonzero(held)
    popularity = np.floor(rng.pareto(1.0, N_ITEMS) * 20) + 1
    topics = rng.random((N_ITEMS, 5)) < 0.4
    topics[:, 0] |= ~topics.any(axis=1)
    bought = rng.integers(0, N_ITEMS, size=(2, 900))
    return Evidence(
        lists,
        N_ITEMS,
        users,
        items,
        held_grades=rng.integers(1, 6, size=len(users)).astype(float),
        topics=topics,
        embeddings=rng.normal(size=(N_ITEMS, 3)),
        popularity=popularity,
        n_train_users=N_TRAIN,
        long_tail=popularity < np.median(popularity),
        item_groups=Cells(("a", "b", "c"), rng.integers(0, 3, size=N_ITEMS)),
        target=np.array([0.5, 0.3, 0.2]),
        profile_topics=rng.dirichlet(np.ones(5), size=N_USERS),
        profile_popularity=profile_popularity(bought[0] % N_USERS, bought[1], popularity, N_USERS),
    )


def values(evidence: Evidence) -> dict[str, float]:
    return {m.name: as_terms(m.measured(evidence)).value for m in computable(evidence)}


def test_names_are_unique_and_every_entry_says_what_it_is() -> None:
    names = [m.name for m in METRICS]
    assert len(set(names)) == len(names)
    known = {f.name for f in fields(Evidence)}
    for m in METRICS:
        assert m.name.islower() and m.meaning and m.source
        assert callable(m.function) and m.function.__doc__
        assert (m.direction == "target") == (m.target is not None)
        assert set(m.needs) <= known
        assert m.measured is not None or not m.needs


def test_a_metric_is_found_by_name() -> None:
    assert find("ndcg").libraries[0] == "RecBole NDCG"
    with pytest.raises(InvalidValue, match=r"metric: there is no metric 'nDCG'.*Use one of ndcg, "):
        find("nDCG")


def test_full_evidence_computes_everything_that_lists_can_say() -> None:
    evidence = full_evidence()
    assert computable(evidence) == tuple(m for m in METRICS if m.measured is not None)
    assert len(computable(evidence)) >= 40
    assert np.isfinite(list(values(evidence).values())).all()


def test_a_metric_asks_for_exactly_the_fields_it_reads() -> None:
    """Without any of its `needs`, it is not computable; with no more than those, it is."""
    evidence = full_evidence()
    given = {f.name: getattr(evidence, f.name) for f in fields(Evidence)}
    for m in computable(evidence):
        only = Evidence(evidence.lists, N_ITEMS, **{name: given[name] for name in m.needs})
        assert m in computable(only)
        alone, together = (as_terms(m.measured(e)).value for e in (only, evidence))
        assert alone == pytest.approx(together)
        for name in m.needs:
            lacking = {n: given[n] for n in m.needs if n != name and n != "held_grades"}
            assert m not in computable(Evidence(evidence.lists, N_ITEMS, **lacking))


@pytest.mark.parametrize("seed", range(2))
def test_values_equal_plain_loops(seed: int) -> None:
    e = full_evidence(seed)
    got = values(e)
    wanted = plain_metrics.held_out(e.held_users, e.held_items, N_USERS)
    plain = {
        "ndcg": np.nanmean(plain_metrics.ndcg(e.lists, wanted)),
        "recall": np.nanmean(plain_metrics.recall(e.lists, wanted)),
        "hit": np.nanmean(plain_metrics.hit(e.lists, wanted)),
        "average_precision": np.nanmean(plain_metrics.average_precision(e.lists, wanted)),
        "ild_jaccard": np.mean(plain_metrics.intra_list_jaccard(e.lists, e.topics)),
        "novelty": np.mean(plain_metrics.novelty(e.lists, e.popularity, N_TRAIN)),
        "gini": plain_metrics.gini(e.lists, N_ITEMS),
        "coverage": plain_metrics.coverage(e.lists, N_ITEMS),
        "n_items_shown": plain_metrics.coverage(e.lists, N_ITEMS) * N_ITEMS,
        "awrf_tv": np.mean(plain_metrics.awrf(e.lists, e.item_groups.codes, e.target)),
        "calibration_kl": np.mean(
            plain_metrics.calibration_kl(e.profile_topics, e.lists, e.topics.astype(float))
        ),
    }
    assert {name: got[name] for name in plain} == pytest.approx(plain, abs=1e-6)


def test_values_equal_the_functions_that_take_arrays() -> None:
    e = full_evidence(2)
    got = values(e)
    codes = e.item_groups.codes
    shown = exposure.exposure_matrix(e.lists, N_ITEMS).toarray()
    per_item = exposure.exposure_per_item(e.lists, codes, 3)
    by_group = exposure.group_exposure(e.lists, codes, 3).sum(axis=0)
    assert got["exposure_parity"] == pytest.approx(float(exposure.parity_ratio(per_item)))
    assert got["worst_half_share"] == pytest.approx(exposure.worst_half_share(by_group))
    iaa = exposure.amortised_inequity(shown, e.held.toarray())
    assert got["iaa"] == pytest.approx(iaa)
    lift = popularity_lift(mean_popularity(e.lists, e.popularity), e.profile_popularity)
    assert got["popularity_lift"] == pytest.approx(lift)
    # The smallest DTR of any pair, relevance of an item being its held-out pairs.
    relevance = e.held.toarray().sum(axis=0)
    pairs = [
        exposure.disparate_treatment_ratio(shown.sum(axis=0), relevance, codes, a, b)
        for a in range(3)
        for b in range(3)
    ]
    assert got["treatment_parity"] == pytest.approx(min(pairs))
    assert np.isfinite(topic_distribution(e.lists, e.topics)).all()


def test_graded_relevance_is_looked_up() -> None:
    e = Evidence(
        np.array([[2, 0, -1], [1, 2, 0]]),
        3,
        np.array([0, 0, 0]),
        np.array([0, 1, 2]),
        held_grades=np.array([5.0, 3.0, 4.0]),
    )
    assert e.grades.tolist() == [[4.0, 5.0, 0.0], [0.0, 0.0, 0.0]]
    assert e.ideal_grades.tolist() == [[5.0, 3.0, 4.0], [0.0, 0.0, 0.0]]
    assert e.held_out_items.tolist() == [[0, 1, 2], [-1, -1, -1]]
    assert e.relevance.tolist() == [[True, True, False], [False, False, False]]
    graded = find("ndcg_graded").measured(e)
    log3 = np.log2(3)
    assert graded[0] == pytest.approx((4 + 5 / log3) / (5 + 4 / log3 + 3 / 2))
    assert np.isnan(graded[1])


def test_a_list_with_an_ungrouped_item_has_no_ndkl() -> None:
    groups = Cells(("a", "b"), np.array([0, 1, -1]))
    e = Evidence(np.array([[0, 1], [1, 2]]), 3, item_groups=groups, target=np.array([0.5, 0.5]))
    assert np.isfinite(find("ndkl").measured(e)).tolist() == [True, False]


def test_every_metric_gets_an_interval_that_holds_it() -> None:
    evidence = full_evidence()
    statistics = {m.name: m.measured(evidence) for m in computable(evidence)}
    out = measure(statistics, 200, np.random.default_rng(1))
    for name, estimate in out.items():
        assert estimate.low <= estimate.value <= estimate.high, name


def test_evidence_that_does_not_fit_is_refused() -> None:
    e = full_evidence()
    for change, field in (
        ({"topics": e.topics[1:]}, "topics"),
        ({"profile_topics": e.profile_topics[1:]}, "profile_topics"),
        ({"item_groups": Cells(("a",), np.zeros(3, dtype=int))}, "item_groups"),
        ({"item_groups": Cells(("a",), e.item_groups.codes)}, "groups"),
        ({"held_users": e.held_users[1:]}, "held_items"),
        ({"held_users": e.held_users + N_USERS}, "held_users"),
        ({"held_items": e.held_items + N_ITEMS}, "held_items"),
        ({"held_grades": -e.held_grades}, "held_grades"),
        ({"lists": e.lists + N_ITEMS}, "lists"),
    ):
        with pytest.raises(InvalidValue) as refused:
            replace(e, **change)
        assert refused.value.field == field
    with pytest.raises(InvalidValue, match="needs"):
        find("ndcg").measured(Evidence(e.lists, N_ITEMS))


def test_gaps_of_users_are_the_registrys_functions() -> None:
    assert find("user_gap").function is gaps.gap
    assert find("utility_loss").function is gaps.utility_loss


# --- docs/metrics.md


def test_the_docs_hold_the_registrys_table() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    missing = [row for row in table().splitlines() if row not in text]
    assert not missing, "print(fairloop.metrics.registry.table()) into docs/metrics.md"


def test_the_docs_show_nothing_that_the_registry_lacks() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    shown = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert shown == {m.name for m in METRICS}


def test_the_figures_in_the_docs_are_those_of_the_stored_benchmarks() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    reports = json.loads((ROOT / "docs" / "metrics.json").read_text(encoding="utf-8"))
    assert replaced(text, "benchmark", page.block(reports)) == text
    assert all(row["holds"] is not False for row in reports["statistics"]["results"])


def test_the_example_in_the_docs_prints_what_it_says() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    code = text.split("```python\n", 1)[1].split("```", 1)[0]
    printed = text.split("```text\n", 1)[1].split("```", 1)[0]
    lines: list[str] = []
    exec(code, {"print": lambda *parts: lines.append(" ".join(map(str, parts)))})
    assert lines == printed.splitlines()
