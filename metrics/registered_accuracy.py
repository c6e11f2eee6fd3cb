"""The registry's accuracy metrics: how many held-out items a list holds, and how high."""

from collections.abc import Callable

from ..arrays import BoolArray, FloatArray, IntArray
from . import accuracy, variants
from .evidence import Evidence, given
from .lists import in_blocks
from .metric import Metric

_HELD = ("held_users", "held_items")
_GRADED = (*_HELD, "held_grades")
_JARVELIN = "Järvelin & Kekäläinen, TOIS 2002"


def _binary(
    function: Callable[[BoolArray, IntArray], FloatArray],
) -> Callable[[Evidence], FloatArray]:
    return lambda evidence: function(evidence.relevance, evidence.n_relevant)


def _alpha_ndcg(evidence: Evidence) -> FloatArray:
    topics = given(evidence.topics)

    def block(lists: IntArray, relevance: BoolArray, held: IntArray) -> FloatArray:
        aspects = topics[lists] & relevance[:, :, None]
        # Items that are not relevant have no aspects, so the ideal needs the held-out ones only.
        return accuracy.alpha_ndcg(aspects, topics[held] & (held >= 0)[:, :, None])

    return in_blocks(block, evidence.lists, evidence.relevance, evidence.held_out_items)


ACCURACY = (
    Metric(
        "ndcg",
        "accuracy",
        "discounted relevant positions / those of the ideal list, discount 1/log2(j + 1)",
        "higher",
        _JARVELIN,
        accuracy.ndcg,
        (
            "RecBole NDCG",
            "ranx ndcg (binary)",
            "Elliot nDCGRendle2020",
            "LensKit NDCG(weight=LogRankWeight(offset=1))",
        ),
        needs=_HELD,
        measured=_binary(accuracy.ndcg),
    ),
    Metric(
        "ndcg_lenskit",
        "accuracy",
        "ndcg with discount 1/log2(max(j, 2)): the first two positions weigh the same",
        "higher",
        _JARVELIN,
        variants.ndcg_lenskit,
        ("LensKit NDCG (default)",),
        needs=_HELD,
        measured=_binary(variants.ndcg_lenskit),
    ),
    Metric(
        "ndcg_graded",
        "accuracy",
        "ndcg with the grades as gains",
        "higher",
        _JARVELIN,
        accuracy.graded_ndcg,
        ("ranx ndcg (graded)", "LensKit NDCG(gain=…, weight=LogRankWeight(offset=1))"),
        needs=_GRADED,
        measured=lambda e: accuracy.graded_ndcg(e.grades, e.ideal_grades),
    ),
    Metric(
        "ndcg_exponential",
        "accuracy",
        "ndcg with gains 2^grade − 1",
        "higher",
        "Burges et al., ICML 2005",
        variants.ndcg_exponential,
        ("ranx ndcg_burges", "Elliot nDCG (grade = rating − threshold + 1)"),
        needs=_GRADED,
        measured=lambda e: variants.ndcg_exponential(e.grades, e.ideal_grades),
    ),
    Metric(
        "precision",
        "accuracy",
        "relevant positions / k",
        "higher",
        "Cleverdon 1962",
        accuracy.precision,
        ("RecBole Precision", "ranx precision", "LensKit Precision", "Elliot Precision"),
        needs=_HELD,
        measured=_binary(accuracy.precision),
    ),
    Metric(
        "recall",
        "accuracy",
        "relevant positions / held-out items",
        "higher",
        "Cleverdon 1962",
        accuracy.recall,
        ("RecBole Recall", "ranx recall", "Elliot Recall"),
        needs=_HELD,
        measured=_binary(accuracy.recall),
    ),
    Metric(
        "recall_truncated",
        "accuracy",
        "relevant positions / min(held-out items, k)",
        "higher",
        "LensKit documentation",
        variants.recall_truncated,
        ("LensKit Recall",),
        needs=_HELD,
        measured=_binary(variants.recall_truncated),
    ),
    Metric(
        "hit",
        "accuracy",
        "share of users with a relevant position",
        "higher",
        "Deshpande & Karypis, TOIS 2004",
        accuracy.hit,
        ("RecBole Hit", "ranx hit_rate", "LensKit Hit", "Elliot HR"),
        needs=_HELD,
        measured=_binary(accuracy.hit),
    ),
    Metric(
        "reciprocal_rank",
        "accuracy",
        "1 / first relevant position (its mean is MRR)",
        "higher",
        "Kantor & Voorhees, TREC 1996",
        accuracy.reciprocal_rank,
        ("RecBole MRR", "ranx mrr", "LensKit RecipRank", "Elliot MRR"),
        needs=_HELD,
        measured=_binary(accuracy.reciprocal_rank),
    ),
    Metric(
        "average_precision",
        "accuracy",
        "sum of precision at the relevant positions / min(held-out items, k)",
        "higher",
        "Buckley & Voorhees, SIGIR 2000",
        accuracy.average_precision,
        ("RecBole MAP", "LensKit AveragePrecision"),
        needs=_HELD,
        measured=_binary(accuracy.average_precision),
    ),
    Metric(
        "average_precision_trec",
        "accuracy",
        "sum of precision at the relevant positions / held-out items",
        "higher",
        "Buckley & Voorhees, SIGIR 2000",
        variants.average_precision_trec,
        ("trec_eval map", "ranx map"),
        needs=_HELD,
        measured=_binary(variants.average_precision_trec),
    ),
    Metric(
        "average_precision_elliot",
        "accuracy",
        "mean of Precision@1 … Precision@k, at every position",
        "higher",
        "Elliot's documentation; not average precision",
        variants.average_precision_elliot,
        ("Elliot MAP",),
        needs=_HELD,
        measured=_binary(variants.average_precision_elliot),
    ),
    Metric(
        "rank_biased_precision",
        "accuracy",
        "(1 − p) Σ rel p^(j − 1), patience p = 0.85",
        "higher",
        "Moffat & Zobel, TOIS 2008",
        accuracy.rank_biased_precision,
        ("LensKit RBP", "ranx rbp.85"),
        needs=_HELD,
        measured=_binary(accuracy.rank_biased_precision),
    ),
    Metric(
        "alpha_ndcg",
        "accuracy",
        "ndcg whose gain for a topic halves (α = 0.5) each time it was seen above",
        "higher",
        "Clarke et al., SIGIR 2008",
        accuracy.alpha_ndcg,
        needs=(*_HELD, "topics"),
        measured=_alpha_ndcg,
    ),
)
