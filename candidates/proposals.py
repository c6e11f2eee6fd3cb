"""What a recommender proposes to whom, from whatever recommender, and what is known to judge it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np

from ..arrays import FloatArray
from ..errors import EmptyData, InvalidValue
from .candidate_set import CandidateSet
from .catalogue import Catalogue, Groups
from .interactions import Interactions
from .pools import CandidatePools

PopularitySource = Literal["history", "proposals"]


@dataclass(frozen=True, slots=True)
class Proposals:
    """Pools to re-rank, and everything that was told about their users and items.

    Attributes:
        name: Where they are from.
        user_ids: Public user ids, shape ``(n_users,)``; ``pools.users`` points into them.
        catalogue: The items.
        user_groups: Groups of users by attribute, codes indexed by user.
        pools: Candidates of the users who have any.
        history: Interactions from before, if they are known.
        relevant: Held-out interactions that say what was relevant, if they are known.
        item_embeddings: Shape ``(I, D)``, where a model has them.
        popularity_from: What the catalogue's popularity counts: the history's interactions, or
            in how many of the proposed lists an item stands.
        counts: What was left out or could not be used, such as ``{"users with a short list": 3}``.
    """

    name: str
    user_ids: np.ndarray
    catalogue: Catalogue
    user_groups: dict[str, Groups]
    pools: CandidatePools
    history: Interactions | None
    relevant: Interactions | None
    item_embeddings: FloatArray | None = None
    popularity_from: PopularitySource = "history"
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def of(cls, candidates: CandidateSet) -> Self:
        """The pools of a fitted model, with its held-out interactions as what is relevant."""
        everyone = candidates.pools(np.arange(candidates.n_users))
        return cls(
            name=f"{candidates.config.model} on {candidates.dataset_name}",
            user_ids=candidates.user_ids,
            catalogue=candidates.catalogue,
            user_groups=candidates.user_groups,
            pools=everyone.take(np.flatnonzero(everyone.sizes)),
            history=candidates.train,
            relevant=candidates.heldout,
            item_embeddings=candidates.item_embeddings,
        )

    def for_slates(self, k: int, *, drop_short: bool = False) -> Self:
        """The same, if every user has at least ``k`` candidates.

        Args:
            k: Slate length.
            drop_short: Leave users with fewer candidates out, and count them.

        Raises:
            InvalidValue: ``k`` is below 1, or users have too few candidates and may not be dropped.
            EmptyData: No user has ``k`` candidates.
        """
        if k < 1:
            raise InvalidValue(f"k is {k}", field="k", mend="Use at least 1.")
        sizes = self.pools.sizes
        short = sizes < k
        n_short = int(short.sum())
        if n_short == len(sizes):
            raise EmptyData(
                f"no user has {k} candidates; the longest list holds {int(sizes.max(initial=0))}",
                field="k",
                mend="Use a smaller k, or give longer lists.",
            )
        if n_short == 0:
            return self
        if not drop_short:
            user = self.user_ids[self.pools.users[int(short.argmax())]]
            raise InvalidValue(
                f"{n_short:,} of {len(sizes):,} users have fewer than k={k} candidates (the first "
                f"is {str(user)!r}, the shortest list holds {int(sizes.min())})",
                field="k",
                mend=f"Use a k of at most {int(sizes.min())}, give longer lists, or leave these "
                "users out (--drop-short on the command line).",
            )
        counts = {**self.counts, "users with a short list": n_short}
        return replace(self, pools=self.pools.take(np.flatnonzero(~short)), counts=counts)
