"""Answers questions about the last list and the catalogue, from what is on record."""

from typing import TYPE_CHECKING

import numpy as np

from ..explain.answers import (
    Placement,
    Shared,
    answer_compare,
    answer_describe,
    answer_why,
    answer_why_not,
    answer_wishes,
)
from ..explain.facts import CatalogueFacts
from ..explain.refinement import Refinement, Wishes, describe, to_filters
from ..explain.understanding.context import Question
from .records import Recommendation, RecommendedItem
from .store.events import known_items

if TYPE_CHECKING:
    from .recommender import Recommender

WHICH = "Which one do you mean? Name its title, or say “the second one”."
NOT_SHOWN = "There is no list yet that I could explain. Say what you would like to see."


class Answers:
    """Answers one user's questions.

    Args:
        recommender: What serves.
        user_id: Who asks.
        last: The last list they were shown; None where there is none.
        wishes: The wishes that hold.
    """

    def __init__(
        self,
        recommender: "Recommender",
        user_id: str,
        last: Recommendation | None,
        wishes: Wishes,
    ) -> None:
        self._recommender, self._user_id = recommender, user_id
        self._last, self._wishes = last, wishes
        self._facts = CatalogueFacts(recommender.catalogue)
        self._user = recommender.candidates.user_index(user_id)

    def answer(self, question: Question) -> str:
        """The answer; where it can't be told what is meant, a question back."""
        if question.kind == "wishes":
            return answer_wishes(self._wishes.describe(self._recommender.catalogue))
        if question.missing:
            return WHICH
        if question.kind == "why":
            return self._why(question.items)
        rows = [self._recommender.candidates.item_index(item) for item in question.items]
        if question.kind == "compare" and len(rows) == 2:
            return answer_compare(*(self._facts.of(row) for row in rows))
        if question.kind == "why_not":
            return answer_why_not(self._facts.of(rows[0]), self._placement(rows[0]))
        return " ".join(answer_describe(self._facts.of(row), self._shared(row)) for row in rows)

    def _why(self, items: tuple[str, ...]) -> str:
        """The stored explanations; all of the list's, in short, where none is named."""
        if self._last is None:
            return NOT_SHOWN
        shown = {item.item_id: item for item in self._last.items}
        told = [self._reason(shown[item]) for item in items or tuple(shown) if item in shown]
        if told:
            return " ".join(told[:3])
        row = self._recommender.candidates.item_index(items[0])
        return answer_why_not(self._facts.of(row), self._placement(row))

    def _reason(self, item: RecommendedItem) -> str:
        facts = self._facts.of(self._recommender.candidates.item_index(item.item_id))
        text = item.explanation.text if item.explanation else "No reason was recorded for it."
        return answer_why(facts, text, item.position)

    def _placement(self, row: int) -> Placement:
        candidates, catalogue = self._recommender.candidates, self._recommender.catalogue
        item = str(catalogue.item_ids[row])
        with self._recommender.database.reading() as session:
            told = known_items(session, [self._user_id]).get(self._user_id, ())
        pool = candidates.pools(np.array([self._user])).items[0]
        ranks = np.flatnonzero(pool == row)
        shown = (
            [one.position for one in self._last.items if one.item_id == item] if self._last else []
        )
        return Placement(
            shown_rank=shown[0] if shown else None,
            known=row in candidates.seen(self._user) or item in told,
            left_out_by=self._left_out_by(row),
            base_rank=int(ranks[0]) + 1 if len(ranks) else None,
            pool_size=int(np.count_nonzero(pool >= 0)),
            list_length=len(self._last.items) if self._last else self._recommender.k,
        )

    def _left_out_by(self, row: int) -> tuple[str, ...]:
        """The wishes, one by one, that the item does not pass."""
        catalogue = self._recommender.catalogue
        found: list[str] = []
        for single in _one_by_one(self._wishes.current):
            if not to_filters(single).allowed(catalogue)[row]:
                found += describe(single, catalogue)
        return tuple(found)

    def _shared(self, row: int) -> list[Shared]:
        """Items of the user's history with the most topics in common, best known first."""
        catalogue = self._recommender.catalogue
        history = np.array(
            [h for h in self._recommender.candidates.history(self._user) if h != row]
        )
        if not len(history):
            return []
        common = (catalogue.topics[history] & catalogue.topics[row]).sum(axis=1)
        order = np.lexsort((-catalogue.popularity[history], -common))[:2]
        return [
            Shared(
                title=self._facts.of(int(history[place])).title,
                topics=self._facts.names(catalogue.topics[history[place]] & catalogue.topics[row]),
            )
            for place in order
            if common[place] > 0
        ]


def _one_by_one(wishes: Refinement) -> list[Refinement]:
    """Each hard wish alone."""
    single: list[dict[str, object]] = [
        {name: (value,)}
        for name in ("exclude_topics", "exclude_items", "dislike_items")
        for value in getattr(wishes, name)
    ]
    if wishes.include_topics:
        single.append({"include_topics": wishes.include_topics})
    single += [
        {name: getattr(wishes, name)}
        for name in ("min_year", "max_year")
        if getattr(wishes, name) is not None
    ]
    return [Refinement.model_validate(one) for one in single]
