"""Every name of ranx, LensKit and Elliot in the registry, against what those libraries computed.

The values were printed by ranx 0.3.21, LensKit 2025.8.1 and the metric classes of Elliot 0.3.1
(with a relevance threshold of 1) on exactly these lists; RecBole runs in its own test.
"""

import numpy as np
import pytest
from fairloop.metrics.evidence import Evidence
from fairloop.metrics.registry import METRICS
from fairloop.metrics.terms import as_terms

N_USERS, N_ITEMS, K = 80, 60, 8

THEIRS = {
    "ranx ndcg (binary)": 0.198888284331,
    "ranx precision": 0.18125,
    "ranx recall": 0.111600025246,
    "ranx hit_rate": 0.6375,
    "ranx mrr": 0.330982142857,
    "ranx map": 0.05411570542,
    "ranx rbp.85": 0.133814478548,
    "ranx ndcg (graded)": 0.135567996315,
    "ranx ndcg_burges": 0.097353654504,
    "LensKit NDCG(weight=LogRankWeight(offset=1))": 0.198888284331,
    "LensKit NDCG (default)": 0.197738775346,
    "LensKit NDCG(gain=…, weight=LogRankWeight(offset=1))": 0.135567996315,
    "LensKit Recall": 0.205863095238,
    "LensKit Precision": 0.18125,
    "LensKit Hit": 0.6375,
    "LensKit RecipRank": 0.330982142857,
    "LensKit RBP": 0.133814478548,
    "LensKit AveragePrecision": 0.11083296131,
    "LensKit ListGini": 0.168177083333,
    "LensKit ExposureGini (default)": 0.192526027477,
    "LensKit MeanPopRank": 0.507682291667,
    "Elliot nDCGRendle2020": 0.198888284331,
    "Elliot nDCG (grade = rating − threshold + 1)": 0.097353654504,
    "Elliot Precision": 0.18125,
    "Elliot Recall": 0.111600025246,
    "Elliot HR": 0.6375,
    "Elliot MRR": 0.330982142857,
    "Elliot MAP": 0.187142857143,
    "Elliot Gini": 0.828972457627,
    "Elliot SEntropy (lists of equal length)": 5.84292783563,
    "Elliot ItemCoverage": 60,
    "Elliot ARP": 53.4125,
    "Elliot APLT": 0.890625,
}

# Not run: trec_eval's map is ranx's; RecTools and LensKit's ILS were read in their source.
READ_ONLY = {"trec_eval map", "RecTools MeanInvUserFreq", "1 − LensKit ILS (on its unit vectors)"}


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    rng = np.random.default_rng(3)
    lists = rng.permuted(np.tile(np.arange(N_ITEMS), (N_USERS, 1)), axis=1)[:, :K]
    held = rng.random((N_USERS, N_ITEMS)) < rng.choice([0.02, 0.1, 0.4], size=(N_USERS, 1))
    held[:, 5] = True
    users, items = np.nonzero(held)
    popularity = np.floor(rng.pareto(1.0, N_ITEMS) * 10) + 1
    grades = rng.integers(1, 6, len(users)).astype(float)
    return Evidence(lists, N_ITEMS, users, items, held_grades=grades, popularity=popularity)


def test_every_name_was_compared() -> None:
    named = {library for m in METRICS for library in m.libraries}
    others = {library for library in named if not library.startswith("RecBole ")}
    assert others == set(THEIRS) | READ_ONLY


@pytest.mark.parametrize("library", THEIRS)
def test_the_entry_computes_what_the_library_computes(library: str, evidence: Evidence) -> None:
    (metric,) = [m for m in METRICS if library in m.libraries]
    assert metric.measured is not None
    value = as_terms(metric.measured(evidence)).value
    # LensKit adds exposure up in single precision.
    tolerance = 1e-8 if "ExposureGini" in library else 1e-11
    assert value == pytest.approx(THEIRS[library], abs=tolerance)
