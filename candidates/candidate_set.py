"""What a fitted model proposes to every user, with all that the rooms above need to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..arrays import PAD, FloatArray, IntArray
from ..errors import InvalidValue, UnknownItem, UnknownUser
from .catalogue import Catalogue, Groups
from .config import CandidateConfig
from .history import topic_history
from .interactions import Interactions
from .item_weights import ItemWeights
from .left_out import LeftOut
from .pools import CandidatePools


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """The result of one fit.

    Row ``u`` of the arrays belongs to user index ``u``. A user's pool never holds an item of
    their training or validation interactions.

    Attributes:
        config: What was fitted.
        dataset_name: Name of the data set.
        user_ids: Public user ids, shape ``(U,)``.
        catalogue: The items.
        user_groups: Groups of users by attribute.
        train: Interactions that the model was fitted on.
        valid: Interactions used to stop the training.
        heldout: Interactions kept apart to measure relevance (RecBole's test split).
        items: Item indices, shape ``(U, N)``, best first, ``PAD`` where a user has fewer.
        scores: Scores of the model, shape ``(U, N)``.
        metrics: RecBole's own measures on the held-out interactions, such as ``"ndcg@10"``.
        item_weights: Exact parts of the scores, for linear models.
        user_embeddings: Shape ``(U, D)``, where the model has them.
        item_embeddings: Shape ``(I, D)``, where the model has them.
        lineage: Hash of the data set, versions of the packages, and other origins.
        left_out: What scores lose without an item of the history, for models without such parts
            that read the history when they score.
        topic_history: What the training interactions say of users and topics, ``(U, 2, T)``; made
            of the others.
    """

    config: CandidateConfig
    dataset_name: str
    user_ids: np.ndarray
    catalogue: Catalogue
    user_groups: dict[str, Groups]
    train: Interactions
    valid: Interactions
    heldout: Interactions
    items: IntArray
    scores: FloatArray
    metrics: dict[str, float]
    item_weights: ItemWeights | None
    user_embeddings: FloatArray | None
    item_embeddings: FloatArray | None
    lineage: Mapping[str, object]
    left_out: LeftOut | None = None
    topic_history: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        if self.items.shape != self.scores.shape or len(self.items) != len(self.user_ids):
            raise InvalidValue(
                f"{len(self.user_ids)} users, items {self.items.shape}, scores {self.scores.shape}",
                field="items",
            )
        if self.left_out is not None and self.left_out.items.shape[:2] != self.items.shape:
            raise InvalidValue(
                f"{self.left_out.items.shape}, but items {self.items.shape}", field="left_out"
            )
        history = topic_history(self.train, self.catalogue.topics)
        object.__setattr__(self, "topic_history", history)  # the dataclass is frozen

    @property
    def n_users(self) -> int:
        """Number of users ``U``."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items ``I``."""
        return self.catalogue.n_items

    @property
    def top_n(self) -> int:
        """Columns of the pools ``N``."""
        return int(self.items.shape[1])

    def pools(self, users: IntArray | None = None) -> CandidatePools:
        """The pools of the given users, or of all users whose pool is full.

        Raises:
            UnknownUser: An index is outside the data set.
        """
        if users is None:
            users = np.flatnonzero((self.items != PAD).all(axis=1))
        elif len(users) and not (int(users.min()) >= 0 and int(users.max()) < self.n_users):
            raise UnknownUser(f"user index outside 0..{self.n_users - 1}", field="users")
        known = self.topic_history[users]
        return CandidatePools(users, self.items[users], self.scores[users], known)

    def user_index(self, user_id: str) -> int:
        """Position of a public user id.

        Raises:
            UnknownUser: The data set does not hold it.
        """
        return _position(self.user_ids, user_id, "user", UnknownUser)

    def item_index(self, item_id: str) -> int:
        """Position of a public item id.

        Raises:
            UnknownItem: The data set does not hold it.
        """
        return _position(self.catalogue.item_ids, item_id, "item", UnknownItem)

    def history(self, user: int) -> IntArray:
        """Training items of a user, oldest first: what a linear model's score is made of."""
        return self.train.items_of(user)

    def seen(self, user: int) -> IntArray:
        """Training and validation items of a user: never proposed again."""
        return np.concatenate([self.train.items_of(user), self.valid.items_of(user)])


def _position(
    ids: np.ndarray, wanted: str, kind: str, error: type[UnknownUser] | type[UnknownItem]
) -> int:
    found = np.flatnonzero(ids == wanted)
    if len(found) == 0:
        raise error(
            f"no {kind} {wanted!r} in the data set",
            field=kind,
            mend=f"Use an id that was imported, such as {str(ids[0])!r}.",
        )
    return int(found[0])
