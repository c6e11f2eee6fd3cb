"""What passes from one step of a recommendation to the next."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue, UnknownUser
from ..explain.refinement import Refinement
from .ordering import Ordered, Situation


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for what.

    Attributes:
        user_ids: Public ids of ``U`` users.
        users: Their indices, shape ``(U,)``.
        k: Slate length.
        refinement: Wishes.
        seed: Of whatever is drawn at random.
    """

    user_ids: tuple[str, ...]
    users: IntArray
    k: int
    refinement: Refinement
    seed: int

    @classmethod
    def of(
        cls,
        candidates: CandidateSet,
        user_ids: Sequence[str],
        k: int,
        refinement: Refinement | None,
        seed: int | None,
    ) -> "Request":
        """Look the users up; a seed is drawn, and recorded, where none is given.

        Raises:
            UnknownUser: The candidates do not cover a user.
            InvalidValue: ``k`` is below 1 or above the size of the pools.
        """
        if not 1 <= k <= candidates.top_n:
            raise InvalidValue(
                f"k={k}, but a pool holds {candidates.top_n} candidates",
                field="k",
                mend=f"Use a k between 1 and {candidates.top_n}, or train larger pools.",
            )
        try:
            rows = [candidates.user_index(user_id) for user_id in user_ids]
        except UnknownUser as error:
            raise UnknownUser(error.message, field="user_id", mend=error.mend) from error
        users = np.array(rows, dtype=np.intp)
        drawn = secrets.randbits(32) if seed is None else seed
        return cls(tuple(user_ids), users, k, refinement or Refinement(), drawn)


@dataclass(frozen=True, slots=True)
class Decision:
    """The slates of a request, with all that they depended on.

    Attributes:
        request: Who asked for what.
        proposed: The base model's pools, before filters and wishes.
        situation: The pools that were ranked, and the users' state.
        ordered: The slates.
        gaps: Mean over the window minus target of each limit, as the order saw it, ``(C,)``.
        measured: Exposure share per floor, then diversity, of each slate, shape ``(U, C)``.
        not_honoured: Wishes that what serves now has no means to follow.
    """

    request: Request
    proposed: CandidatePools
    situation: Situation
    ordered: Ordered
    gaps: FloatArray
    measured: FloatArray
    not_honoured: tuple[str, ...]

    @property
    def items(self) -> IntArray:
        """Item indices of the slates, shape ``(U, k)``."""
        return self.ordered.slates.items

    def base_columns(self) -> IntArray:
        """Columns of the slates' items in the base model's pools, shape ``(U, k)``."""
        return (self.proposed.items[:, None, :] == self.items[:, :, None]).argmax(axis=2)

    def about_request(self) -> dict[str, Any]:
        """What the record says of the request."""
        return {
            "k": self.request.k,
            "refinement": self.request.refinement.model_dump(mode="json"),
            "seed": self.request.seed,
            "users_in_batch": len(self.request.user_ids),
            "not_honoured": list(self.not_honoured),
        }
