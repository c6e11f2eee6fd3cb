"""The registry's metrics of variety: within lists, over the catalogue, and against popularity."""

import numpy as np

from . import diversity, popularity, variants
from . import item_statistics as items
from .evidence import Evidence, given
from .exposure import exposure_matrix, rbp_discount
from .metric import Metric
from .terms import Reduce, Terms

_LENSKIT_PATIENCE = 0.85


def _like_gini(evidence: Evidence, function: Reduce) -> Terms:
    plain = items.gini_of(evidence.shown)
    return Terms(plain.columns, function, plain.known, plain.centred)


def _gini_exposure_lenskit(evidence: Evidence) -> Terms:
    discount = rbp_discount(evidence.lists.shape[1], _LENSKIT_PATIENCE)
    return items.gini_of(exposure_matrix(evidence.lists, evidence.n_items, discount))


def _coverage_times(evidence: Evidence, factor: float) -> Terms:
    plain = items.coverage_of(evidence.shown)
    return Terms(plain.columns, lambda s: factor * plain.reduce(s), plain.known, plain.centred)


DIVERSITY = (
    Metric(
        "ild_jaccard",
        "diversity",
        "mean pairwise Jaccard distance of topics within a list",
        "higher",
        "Ziegler et al., WWW 2005",
        diversity.intra_list_jaccard,
        needs=("topics",),
        measured=lambda e: diversity.intra_list_jaccard(e.lists, given(e.topics)),
    ),
    Metric(
        "ild_cosine",
        "diversity",
        "mean pairwise cosine distance of embeddings within a list",
        "higher",
        "Ziegler et al., WWW 2005",
        diversity.intra_list_cosine,
        ("1 − LensKit ILS (on its unit vectors)",),
        needs=("embeddings",),
        measured=lambda e: diversity.intra_list_cosine(e.lists, given(e.embeddings)),
    ),
    Metric(
        "gini",
        "diversity",
        "inequality of how often items are shown, 0 equal, over the whole catalogue",
        "lower",
        "Gini 1912; Fleder & Hosanagar, Management Science 2009",
        diversity.gini,
        ("LensKit ListGini",),
        measured=lambda e: items.gini_of(e.shown),
    ),
    Metric(
        "gini_recbole",
        "diversity",
        "gini with one more item that is never shown (RecBole's padding)",
        "lower",
        "RecBole, CIKM 2021",
        variants.gini_recbole,
        ("RecBole GiniIndex",),
        measured=lambda e: _like_gini(e, variants.gini_recbole),
    ),
    Metric(
        "gini_elliot",
        "diversity",
        "1 − gini · n/(n − 1): 1 equal, 0 where one item has everything",
        "higher",
        "Elliot, SIGIR 2021",
        variants.gini_elliot,
        ("Elliot Gini",),
        measured=lambda e: _like_gini(e, variants.gini_elliot),
    ),
    Metric(
        "gini_exposure",
        "diversity",
        "inequality of items' exposure, discount 1/log2(j + 1)",
        "lower",
        "Fleder & Hosanagar, Management Science 2009",
        diversity.gini,
        measured=lambda e: items.gini_of(e.exposure),
    ),
    Metric(
        "gini_exposure_lenskit",
        "diversity",
        "inequality of items' exposure, discount 0.85^(j − 1)",
        "lower",
        "LensKit documentation",
        diversity.gini,
        ("LensKit ExposureGini (default)",),
        measured=_gini_exposure_lenskit,
    ),
    Metric(
        "shannon_entropy",
        "diversity",
        "−Σ p log2 p of the shares in which items are shown, bits",
        "higher",
        "Shannon 1948",
        diversity.shannon_entropy,
        ("Elliot SEntropy (lists of equal length)",),
        measured=lambda e: items.entropy_of(e.shown),
    ),
    Metric(
        "shannon_entropy_recbole",
        "diversity",
        "entropy in nats / number of distinct items shown",
        "higher",
        "RecBole, CIKM 2021",
        variants.shannon_entropy_recbole,
        ("RecBole ShannonEntropy",),
        measured=lambda e: _like_gini(e, variants.shannon_entropy_recbole),
    ),
    Metric(
        "coverage",
        "diversity",
        "distinct items shown / items of the catalogue",
        "higher",
        "Ge et al., RecSys 2010",
        diversity.coverage,
        measured=lambda e: items.coverage_of(e.shown),
    ),
    Metric(
        "coverage_recbole",
        "diversity",
        "distinct items shown / (items of the catalogue + 1)",
        "higher",
        "Ge et al., RecSys 2010",
        variants.coverage_recbole,
        ("RecBole ItemCoverage",),
        measured=lambda e: _coverage_times(e, e.n_items / (e.n_items + 1)),
    ),
    Metric(
        "n_items_shown",
        "diversity",
        "distinct items shown",
        "higher",
        "Ge et al., RecSys 2010",
        variants.n_items_shown,
        ("Elliot ItemCoverage",),
        measured=lambda e: _coverage_times(e, e.n_items),
    ),
)

POPULARITY = (
    Metric(
        "arp",
        "popularity",
        "mean training interactions of the items in a list",
        "lower",
        "Yin et al., VLDB 2012; Abdollahpouri et al., FLAIRS 2019",
        popularity.mean_popularity,
        ("RecBole AveragePopularity", "Elliot ARP"),
        needs=("popularity",),
        measured=lambda e: popularity.mean_popularity(e.lists, given(e.popularity)),
    ),
    Metric(
        "mean_popularity_rank",
        "popularity",
        "mean quantile of the popularity of the items in a list, 1 most popular",
        "lower",
        "Ekstrand & Mahant, FLAIRS 2017",
        variants.mean_popularity_rank,
        ("LensKit MeanPopRank",),
        needs=("popularity",),
        measured=lambda e: variants.mean_popularity_rank(e.lists, given(e.popularity)),
    ),
    Metric(
        "aplt",
        "popularity",
        "share of long-tail items in a list, by the long tail that was declared",
        "higher",
        "Abdollahpouri et al., FLAIRS 2019",
        popularity.long_tail_share,
        needs=("long_tail",),
        measured=lambda e: popularity.long_tail_share(e.lists, given(e.long_tail)),
    ),
    Metric(
        "tail_percentage_recbole",
        "popularity",
        "share of a list that belongs to the 10 % least used items",
        "higher",
        "RecBole, CIKM 2021",
        variants.recbole_tail,
        ("RecBole TailPercentage (default)",),
        needs=("popularity",),
        measured=lambda e: popularity.long_tail_share(
            e.lists, variants.recbole_tail(given(e.popularity))
        ),
    ),
    Metric(
        "aplt_elliot",
        "popularity",
        "share of a list outside the head that holds 80 % of the interactions",
        "higher",
        "Abdollahpouri et al., RecSys 2017",
        variants.elliot_tail,
        ("Elliot APLT",),
        needs=("popularity",),
        measured=lambda e: popularity.long_tail_share(
            e.lists, variants.elliot_tail(given(e.popularity))
        ),
    ),
    Metric(
        "popularity_lift",
        "popularity",
        "(popularity of lists − of histories) / popularity of histories",
        "target",
        "Abdollahpouri et al., RecSys 2020",
        popularity.popularity_lift,
        target=0.0,
        needs=("popularity", "profile_popularity"),
        measured=lambda e: items.popularity_lift_of(
            popularity.mean_popularity(e.lists, given(e.popularity)), given(e.profile_popularity)
        ),
    ),
    Metric(
        "novelty",
        "popularity",
        "mean −log2(share of users who know the item), bits",
        "higher",
        "Zhou et al., PNAS 2010",
        popularity.novelty,
        ("RecTools MeanInvUserFreq",),
        needs=("popularity", "n_train_users"),
        measured=lambda e: popularity.novelty(
            e.lists, np.asarray(given(e.popularity)), given(e.n_train_users)
        ),
    ),
    Metric(
        "serendipity",
        "popularity",
        "mean over relevant positions of max(0, P_model − P_popularity)",
        "higher",
        "Ge et al., RecSys 2010",
        popularity.serendipity,
    ),
)
