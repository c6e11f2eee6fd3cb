"""Small artificial data with the traits of real logs: tastes, a skewed popularity, gaps.

For tests, examples and benchmarks that must not wait for a real data set or for RecBole.
"""

import numpy as np
import pandas as pd

from ..arrays import FloatArray
from .build import build_catalogue, build_user_groups
from .candidate_set import CandidateSet
from .config import CandidateConfig
from .dataset import Dataset
from .ease import ease_weights
from .groups import movielens_groups
from .interactions import Interactions
from .item_weights import ItemWeights
from .top_n import top_n

FIRST_DAY = 880_000_000.0
DAY = 86_400.0


def synthetic_dataset(
    n_users: int = 120, n_items: int = 200, n_topics: int = 6, seed: int = 0
) -> Dataset:
    """Users with tastes over topics who meet popular and liked items more often.

    A few users lack a gender or an age, and a few items a year or every topic, so that the
    counting of missing values is exercised.

    Args:
        n_users: Users ``U``.
        n_items: Items ``I``; each user meets between 10 and a third of them.
        n_topics: Topics ``T``.
        seed: Equal seeds give equal data.
    """
    rng = np.random.default_rng(seed)
    topics = _item_topics(n_items, n_topics, rng)
    appeal = rng.permutation(1.0 / np.arange(1, n_items + 1) ** 0.8)
    tastes = rng.dirichlet(np.full(n_topics, 0.5), size=n_users)
    liking = tastes @ (topics / topics.sum(axis=1, keepdims=True)).T
    user, item = _meetings(liking, appeal, rng)
    strength = liking[user, item] / liking.max(axis=1)[user]
    rating = np.clip(np.round(2.0 + 3.0 * strength + rng.normal(0, 0.7, len(user))), 1, 5)
    return Dataset(
        name="synthetic",
        user_ids=np.array([f"u{index}" for index in range(n_users)]),
        item_ids=np.array([f"i{index}" for index in range(n_items)]),
        user=user,
        item=item,
        rating=rating,
        timestamp=FIRST_DAY + np.floor(rng.uniform(0, 200 * DAY, len(user))),
        user_attributes=_people(n_users, rng),
        item_attributes=_items(topics, rng),
    )


def synthetic_candidates(
    n_users: int = 120,
    n_items: int = 200,
    n_topics: int = 6,
    seed: int = 0,
    top_n: int = 50,
) -> CandidateSet:
    """A candidate set from numpy's EASE on ``synthetic_dataset``; its ``metrics`` are empty."""
    dataset = synthetic_dataset(n_users, n_items, n_topics, seed)
    return ease_candidates(dataset, CandidateConfig(top_n=top_n, seed=seed))


def ease_candidates(dataset: Dataset, config: CandidateConfig) -> CandidateSet:
    """EASE candidates without RecBole, on a random 8:1:1 split within each user.

    The data set must have the columns of ``movielens_groups``: year, gender and age.
    """
    train, valid, heldout = _split(dataset, np.random.default_rng(config.seed))
    weights = ease_weights(train.matrix(), float(config.model_parameters.get("reg_weight", 250.0)))
    scores = train.matrix() @ weights
    items, best = top_n(scores, train.plus(valid).matrix(), config.top_n)
    groups = movielens_groups()
    return CandidateSet(
        config=config,
        dataset_name=dataset.name,
        user_ids=dataset.user_ids,
        catalogue=build_catalogue(dataset, groups, train),
        user_groups=build_user_groups(dataset, groups, train),
        train=train,
        valid=valid,
        heldout=heldout,
        items=items.astype(np.int32),
        scores=best.astype(np.float32),
        metrics={},
        item_weights=ItemWeights.of(weights),
        user_embeddings=None,
        item_embeddings=None,
        lineage={"dataset": dataset.content_hash()},
    )


def _item_topics(n_items: int, n_topics: int, rng: np.random.Generator) -> FloatArray:
    """One main topic each, a second one for 40 % of the items."""
    topics = np.zeros((n_items, n_topics))
    topics[np.arange(n_items), rng.integers(n_topics, size=n_items)] = 1.0
    second = rng.random(n_items) < 0.4
    topics[np.flatnonzero(second), rng.integers(n_topics, size=int(second.sum()))] = 1.0
    return topics


def _meetings(
    liking: FloatArray, appeal: FloatArray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Gumbel top-k draws: how likely an item is met grows with its appeal and the liking."""
    n_users, n_items = liking.shape
    log_weight = np.log(appeal)[None, :] + 3.0 * liking / liking.max(axis=1, keepdims=True)
    order = np.argsort(-(log_weight + rng.gumbel(size=liking.shape)), axis=1)
    most = max(11, n_items // 3)
    counts = np.minimum(rng.integers(10, most, size=n_users), n_items)
    user = np.repeat(np.arange(n_users), counts)
    item = np.concatenate([order[u, :count] for u, count in enumerate(counts)])
    shuffle = rng.permutation(len(user))
    return user[shuffle], item[shuffle]


def _people(n_users: int, rng: np.random.Generator) -> pd.DataFrame:
    gender = rng.choice(np.array(["F", "M"], dtype=object), size=n_users, p=[0.4, 0.6])
    gender[rng.random(n_users) < 0.03] = None
    age = np.round(rng.gamma(6.0, 6.0, size=n_users)) + 12
    age[rng.random(n_users) < 0.03] = np.nan
    return pd.DataFrame({"gender": gender, "age": age})


def _items(topics: FloatArray, rng: np.random.Generator) -> pd.DataFrame:
    n_items = len(topics)
    names = np.array([f"Topic {column}" for column in range(topics.shape[1])])
    listed = [tuple(names[row > 0].tolist()) for row in topics]
    for row in np.flatnonzero(rng.random(n_items) < 0.02):
        listed[row] = ()
    year = np.floor(rng.triangular(1940, 1996, 1999, size=n_items))
    year[rng.random(n_items) < 0.02] = np.nan
    titles = [f"Film {index}" for index in range(n_items)]
    return pd.DataFrame({"title": titles, "year": year, "topics": listed})


def _split(
    dataset: Dataset, rng: np.random.Generator
) -> tuple[Interactions, Interactions, Interactions]:
    order = rng.permutation(len(dataset))
    order = order[np.argsort(dataset.user[order], kind="stable")]
    counts = np.bincount(dataset.user, minlength=dataset.n_users)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    place = (np.arange(len(order)) - starts) / np.repeat(counts, counts)
    codes = np.searchsorted([0.8, 0.9], place, side="right")
    return (
        _part(dataset, order[codes == 0]),
        _part(dataset, order[codes == 1]),
        _part(dataset, order[codes == 2]),
    )


def _part(dataset: Dataset, rows: np.ndarray) -> Interactions:
    return Interactions.build(
        dataset.user[rows],
        dataset.item[rows],
        dataset.rating[rows],
        dataset.timestamp[rows],
        dataset.n_users,
        dataset.n_items,
    )
