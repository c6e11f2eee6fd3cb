"""RecBole's own metric classes, in their own process, against the entries that name them."""

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from fairloop.metrics.evidence import Evidence
from fairloop.metrics.measure import measure
from fairloop.metrics.registry import METRICS, find

pytestmark = pytest.mark.skipif(find_spec("recbole") is None, reason="RecBole is not installed")

N_USERS, K, N_ITEMS = 300, 10, 80

# RecBole's item ids start at 1: entry 0 of its vocabulary is padding, and it counts as an item.
RECBOLE = """
import json, sys
import numpy as np
np.float = float
from recbole.evaluator import metrics
given = json.load(sys.stdin)
found, n = np.array(given["found"]), np.array(given["n"])
lists, popularity = np.array(given["lists"]) + 1, given["popularity"]
config = {"topk": [lists.shape[1]], "metric_decimal_place": 12, "tail_ratio": None}
count = {i + 1: c for i, c in enumerate(popularity) if c > 0}
n_items = len(popularity) + 1

def last(rows):
    return float(np.asarray(rows)[:, -1].mean())

popular = metrics.AveragePopularity(config)
tail = metrics.TailPercentage(config)
print(json.dumps({
    "NDCG": last(metrics.NDCG.metric_info(None, found, n)),
    "Recall": last(metrics.Recall.metric_info(None, found, n)),
    "MAP": last(metrics.MAP.metric_info(None, found, n)),
    "MRR": last(metrics.MRR.metric_info(None, found)),
    "Hit": last(metrics.Hit.metric_info(None, found)),
    "Precision": last(metrics.Precision.metric_info(None, found)),
    "ItemCoverage": metrics.ItemCoverage(config).get_coverage(lists, n_items),
    "GiniIndex": metrics.GiniIndex(config).get_gini(lists, n_items),
    "ShannonEntropy": metrics.ShannonEntropy(config).get_entropy(lists),
    "AveragePopularity": last(popular.metric_info(popular.get_pop(lists, count))),
    "TailPercentage (default)": last(tail.metric_info(tail.get_tail(lists, count))),
}))
"""


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    rng = np.random.default_rng(1)
    chance = rng.dirichlet(np.full(N_ITEMS, 0.3), size=N_USERS) + 1e-9
    lists = np.argsort(-np.log(chance) + rng.gumbel(size=chance.shape), axis=1)[:, :K]
    held = rng.random((N_USERS, N_ITEMS)) < rng.choice([0.02, 0.1, 0.4], size=(N_USERS, 1))
    held[:, 3] = True  # RecBole evaluates only users with a held-out item
    users, items = np.nonzero(held)
    popularity = np.floor(rng.pareto(1.0, N_ITEMS) * 5)  # ties, and items without interactions
    return Evidence(lists, N_ITEMS, users, items, popularity=popularity)


@pytest.fixture(scope="module")
def theirs(evidence: Evidence) -> dict[str, float]:
    given = {
        "found": evidence.relevance.tolist(),
        "n": evidence.n_relevant.tolist(),
        "lists": evidence.lists.tolist(),
        "popularity": evidence.popularity.astype(int).tolist(),
    }
    done = subprocess.run(
        [sys.executable, "-c", RECBOLE],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_entry_that_names_recbole_computes_what_recbole_computes(evidence, theirs) -> None:
    ours = {
        library.removeprefix("RecBole "): metric
        for metric in METRICS
        for library in metric.libraries
        if library.startswith("RecBole ")
    }
    assert ours.keys() == theirs.keys()
    values = measure(
        {name: metric.measured(evidence) for name, metric in ours.items()},
        2,
        np.random.default_rng(0),
    )
    assert {n: e.value for n, e in values.items()} == pytest.approx(theirs, abs=1e-9)


def test_our_gini_and_coverage_do_not_count_recboles_padding(evidence, theirs) -> None:
    names = {"gini": "GiniIndex", "coverage": "ItemCoverage"}
    for name, library in names.items():
        value = find(name).measured(evidence).value
        assert abs(value - theirs[library]) > 1e-4
