"""What every line of the re-ranker benchmark shares, and what a line is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.rerankers.base import Slates
from fairloop.rerankers.config import RerankerSettings
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.factory import make_reranker
from fairloop.rerankers.knowledge import Knowledge

N_ITEMS, N_TOPICS, N_SETS, N_PROVIDERS = 1682, 18, 216, 50
PLAIN = "plain numpy, one user at a time"


@dataclass(frozen=True)
class Setting:
    """Made-up pools at MovieLens-100K's size.

    Attributes:
        knowledge: Catalogue (18 genres in 216 sets; item attributes ``"popularity"``: head and
            long_tail, ``"provider"``: 50 of very different sizes), a long-tail floor of 0.45 and a
            diversity floor of 0.9, user groups ``"activity"``, topic profiles, embeddings.
        pools: ``U`` users with 100 candidates each, best first.
        k: Slate length.
        seed: Seed of everything.
    """

    knowledge: Knowledge
    pools: CandidatePools
    k: int
    seed: int

    @property
    def topics(self) -> np.ndarray:
        """Topics of every candidate, ``(U, N, T)``, for plain loops."""
        return self.knowledge.catalogue.topics[self.pools.items].astype(float)

    def codes(self, attribute: str) -> np.ndarray:
        """Group of every candidate, ``(U, N)``, for plain loops."""
        return self.knowledge.catalogue.groups[attribute].codes[self.pools.items]

    def first(self, n_users: int) -> "Setting":
        """The same with fewer users."""
        return Setting(self.knowledge, self.pools.take(np.arange(n_users)), self.k, self.seed)

    def slates(self, config: RerankerSettings) -> Slates:
        """What a freshly made re-ranker shows."""
        reranker = make_reranker(config, self.knowledge)  # pyright: ignore[reportArgumentType] - any of the union
        return reranker.rerank(self.pools, self.k, np.random.default_rng(self.seed))


@dataclass(frozen=True)
class Line:
    """One re-ranker beside its peer.

    Attributes:
        name: Name of the algorithm.
        ours: One run over all users of the setting.
        plain: One run of the peer, over ``plain_users`` of them; what both return is for ``agree``.
        bar: Processor seconds per 1,000 users not to be exceeded.
        ratio_bar: Times faster than the peer that are asked for.
        agree: From what ``ours`` returned to a named figure, the bar that it is held against, and
            whether a larger one is better; such as ``("slates equal", 1.0, 0.999, True)``.
        plain_users: Users that the peer worked on, where it is too slow for all.
        per: Users of the setting that ``ours`` worked on; 0 where the cost is not per user.
        peer: What the peer is.
    """

    name: str
    ours: Callable[[], Any]
    plain: Callable[[], Any] | None = None
    bar: float | None = None
    ratio_bar: float | None = None
    agree: Callable[[Any], tuple[str, float, float, bool]] | None = None
    plain_users: int | None = None
    per: int | None = None
    peer: str = PLAIN


def equal_slates(ours: Slates, plain: np.ndarray) -> tuple[str, float, float, bool]:
    """Share of users whom both show the same columns in the same order, over the peer's users."""
    share = float((ours.columns[: len(plain)] == plain).all(axis=1).mean())
    return "slates equal to the plain loop's", share, 0.999, True


def make_setting(n_users: int, seed: int, k: int = 10, n_candidates: int = 100) -> Setting:
    """Draw a catalogue and pools."""
    rng = np.random.default_rng(seed)
    catalogue = _catalogue(rng)
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.45)
    activity = Groups("activity", ("low", "medium", "high"), rng.integers(0, 3, n_users))
    knowledge = Knowledge(
        catalogue,
        Constraints(exposure=(floor,), min_diversity=0.9),
        user_groups={"activity": activity},
        profiles=rng.dirichlet(np.full(N_TOPICS, 0.3), size=n_users),
        item_embeddings=rng.normal(size=(N_ITEMS, 32)),
    )
    return Setting(knowledge, _pools(catalogue, n_users, n_candidates, rng), k, seed)


def _catalogue(rng: np.random.Generator) -> Catalogue:
    topic_sets = rng.random((N_SETS, N_TOPICS)) < 0.12
    popularity = np.sort(rng.gamma(0.5, 120.0, N_ITEMS))[::-1].copy()
    tail = (np.arange(N_ITEMS) >= N_ITEMS // 5).astype(int)
    sizes = 1.0 / np.arange(1, N_PROVIDERS + 1)
    provider = rng.choice(N_PROVIDERS, N_ITEMS, p=sizes / sizes.sum())
    provider[:N_PROVIDERS] = np.arange(N_PROVIDERS)  # none is empty
    ids = np.arange(N_ITEMS).astype(str)
    names = tuple(f"provider {p}" for p in range(N_PROVIDERS))
    return Catalogue(
        item_ids=ids,
        titles=ids,
        topics=topic_sets[rng.integers(0, N_SETS, N_ITEMS)],
        topic_names=tuple(f"genre {t}" for t in range(N_TOPICS)),
        year=rng.integers(1930, 1999, N_ITEMS).astype(float),
        popularity=popularity,
        groups={
            "popularity": Groups("popularity", ("head", "long_tail"), tail),
            "provider": Groups("provider", names, provider),
        },
    )


def _pools(
    catalogue: Catalogue, n_users: int, n_candidates: int, rng: np.random.Generator
) -> CandidatePools:
    blocks = [
        np.argsort(rng.random((min(4096, n_users - start), N_ITEMS)), axis=1)[:, :n_candidates]
        for start in range(0, n_users, 4096)
    ]
    items = np.concatenate(blocks)
    scores = rng.normal(size=items.shape) + 0.3 * np.log1p(catalogue.popularity)[items]
    order = np.argsort(-scores, axis=1)
    return CandidatePools(
        np.arange(n_users),
        np.take_along_axis(items, order, axis=1),
        np.take_along_axis(scores, order, axis=1),
    )
