"""What never changes about a batch of pools, gathered once so that each step is cheap."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.sparse as sp

from ..arrays import BoolArray, FloatArray, IntArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from .constraints import Constraints
from .patterns import TopicPatterns
from .response import ResponseModel

MEMORYLESS = ("base", "popularity", "recency")
"""Features of a candidate that do not depend on what the user has done."""

SUMMARY = ("pool_size", "base_head", "pool_popularity")
"""Static facts of a pool that `observation` shows beside its mean topics and floor shares."""

HEAD = 10
"""Columns counted as the head of a pool in the summary."""


@dataclass(frozen=True, slots=True)
class PoolContext:
    """Static arrays of ``U`` pools; float32 unless said otherwise.

    Attributes:
        items: Item indices, shape ``(U, N)``, integer.
        valid: Which columns hold a candidate, shape ``(U, N)``, bool.
        n_valid: How many do, shape ``(U,)``, integer.
        patterns: Row of ``pattern_topics`` of each column, shape ``(U, N)``, integer.
        pattern_topics: Distinct topic sets of the catalogue, shape ``(P, T)``, 0 or 1.
        pattern_mean: ``pattern_topics`` with rows that sum to 1 (or 0), shape ``(P, T)``.
        sparse_pattern_mean: The same as a sparse matrix; see `TopicPatterns`.
        pattern_distance: Jaccard distance between topic sets, shape ``(P, P)``.
        memoryless: The features named in ``MEMORYLESS``, shape ``(U, 3, N)``: base score
            standardised within the pool, log popularity and year standardised over the catalogue
            (0 where the year is not known). 0 in padding.
        floors: Whose share each limit on exposure keeps up, shape ``(n_floors, U, N)``: a floor's
            group, or all but a ceiling's group.
        floor_targets: Least exposure share of each, shape ``(n_floors,)``.
        min_diversity: Target diversity, if there is one.
        summary: What `observation` shows of a pool itself, shape ``(U, S)``.
        history: What was known of the users and topics before, shape ``(U, 2, T)``; zeros where
            nothing was.
        response: How users answer to a look, for whoever weighs what it is expected to bring.
    """

    items: IntArray
    valid: BoolArray
    n_valid: IntArray
    patterns: IntArray
    pattern_topics: FloatArray
    pattern_mean: FloatArray
    sparse_pattern_mean: sp.csr_array
    pattern_distance: FloatArray
    memoryless: FloatArray
    floors: FloatArray
    floor_targets: FloatArray
    min_diversity: float | None
    summary: FloatArray
    history: FloatArray
    response: ResponseModel | None = None

    @classmethod
    def of(
        cls,
        pools: CandidatePools,
        catalogue: Catalogue,
        constraints: Constraints,
        patterns: TopicPatterns | None = None,
    ) -> Self:
        """Gather everything static about the pools.

        Args:
            pools: The pools.
            catalogue: The items in them.
            constraints: Their floors and ceilings become columns; the filters are not applied
                here.
            patterns: The catalogue's topic patterns, where they are at hand already.

        Raises:
            InvalidValue: A limit names an attribute or group that the catalogue does not have,
                a ratio was not resolved, or the pools hold an item index outside the catalogue.
        """
        constraints.require_resolved()
        items = pools.items
        valid = pools.valid
        if items.size and int(items.max()) >= catalogue.n_items:
            raise InvalidValue(
                f"item index {int(items.max())} in a catalogue of {catalogue.n_items}",
                field="pools.items",
                mend="Use the pools and the catalogue of the same candidate artifact.",
            )
        safe = np.where(valid, items, 0)
        table = TopicPatterns.of(catalogue) if patterns is None else patterns
        memoryless = _memoryless(pools, catalogue, safe)
        floors = _floor_masks(constraints, catalogue)[:, safe] * valid
        codes = table.codes[safe]
        summary = _summary(memoryless, valid, floors, table.mean, codes)
        return cls(
            items=items,
            valid=valid,
            n_valid=valid.sum(axis=1),
            patterns=codes,
            pattern_topics=table.topics,
            pattern_mean=table.mean,
            sparse_pattern_mean=table.sparse_mean,
            pattern_distance=table.distance,
            memoryless=memoryless,
            floors=floors.astype(np.float32),
            floor_targets=np.array([f.least for f in constraints.exposure], np.float32),
            min_diversity=constraints.min_diversity,
            summary=summary,
            history=_history(pools, catalogue),
        )

    def __len__(self) -> int:
        return len(self.items)

    @property
    def n_candidates(self) -> int:
        """Columns of the pools, ``N``."""
        return self.items.shape[1]

    @property
    def n_topics(self) -> int:
        """Topics of the catalogue, ``T``."""
        return self.pattern_topics.shape[1]

    @property
    def topics(self) -> FloatArray:
        """Topics of every column, shape ``(U, N, T)``; made anew on each access."""
        return self.pattern_topics[self.patterns] * self.valid[:, :, None]

    def cells(self, columns: IntArray) -> IntArray:
        """Where columns of each pool stand in a flattened ``(U, N)`` array, shape of ``columns``.

        Raises:
            InvalidValue: There is no such column, or the rows are not those of the pools.
        """
        n_users, n = self.items.shape
        if len(columns) != n_users:
            raise InvalidValue(f"{len(columns)} slates for {n_users} pools", field="columns")
        if columns.size and not (columns.min() >= 0 and columns.max() < n):
            raise InvalidValue(f"a column outside 0..{n - 1}", field="columns")
        return columns + (np.arange(n_users) * n)[:, None]

    def take(self, rows: IntArray | slice) -> Self:
        """The given users, in that order: a copy for indices, a view for a slice.

        The pattern tables are shared.
        """
        return type(self)(
            items=self.items[rows],
            valid=self.valid[rows],
            n_valid=self.n_valid[rows],
            patterns=self.patterns[rows],
            pattern_topics=self.pattern_topics,
            pattern_mean=self.pattern_mean,
            sparse_pattern_mean=self.sparse_pattern_mean,
            pattern_distance=self.pattern_distance,
            memoryless=self.memoryless[rows],
            floors=self.floors[:, rows],
            floor_targets=self.floor_targets,
            min_diversity=self.min_diversity,
            summary=self.summary[rows],
            history=self.history[rows],
            response=self.response,
        )

    def answered_by(self, response: ResponseModel | None) -> Self:
        """The same pools with a response model; a view."""
        return self if response is self.response else replace(self, response=response)

    def assign(self, rows: IntArray, other: "PoolContext", other_rows: IntArray) -> None:
        """Overwrite rows in place with pools of another context of the same catalogue.

        Raises:
            InvalidValue: The other context was made from another catalogue, other constraints or
                pools of another width.
        """
        if (
            self.pattern_topics.shape != other.pattern_topics.shape
            or not np.array_equal(self.pattern_topics, other.pattern_topics)
            or len(self.floors) != len(other.floors)
            or self.n_candidates != other.n_candidates
        ):
            raise InvalidValue(
                "the contexts differ in catalogue, constraints or pool width", field="context"
            )
        self.items[rows] = other.items[other_rows]
        self.valid[rows] = other.valid[other_rows]
        self.n_valid[rows] = other.n_valid[other_rows]
        self.patterns[rows] = other.patterns[other_rows]
        self.memoryless[rows] = other.memoryless[other_rows]
        self.floors[:, rows] = other.floors[:, other_rows]
        self.summary[rows] = other.summary[other_rows]
        self.history[rows] = other.history[other_rows]


def _history(pools: CandidatePools, catalogue: Catalogue) -> FloatArray:
    if pools.history is None:
        return np.zeros((len(pools), 2, catalogue.topics.shape[1]), np.float32)
    return np.array(pools.history, np.float32)


def _memoryless(pools: CandidatePools, catalogue: Catalogue, safe: IntArray) -> FloatArray:
    """Base score, popularity and recency of every column, ``(U, 3, N)``, 0 in padding."""
    valid = pools.valid
    n = np.maximum(pools.sizes, 1)[:, None]
    mean = np.where(valid, pools.scores, 0.0).sum(axis=1, keepdims=True) / n
    centred = np.where(valid, pools.scores - mean, 0.0)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / n)
    base = centred / np.where(spread > 0, spread, 1.0)
    popularity = _standardised(np.log1p(catalogue.popularity))
    recency = _standardised(np.asarray(catalogue.year, dtype=np.float64))
    features = np.stack([base, popularity[safe] * valid, recency[safe] * valid], axis=1)
    return np.ascontiguousarray(features, dtype=np.float32)


def _standardised(values: FloatArray) -> FloatArray:
    """Mean 0 and standard deviation 1 over the known values; 0 where not known."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    spread = float(values[known].std())
    centred = np.where(known, values - values[known].mean(), 0.0)
    return centred / (spread if spread > 0 else 1.0)


def _floor_masks(constraints: Constraints, catalogue: Catalogue) -> FloatArray:
    """Items whose share each limit keeps up, ``(n_floors, I)``."""
    masks = [limit.members(catalogue) for limit in constraints.exposure]
    return np.array(masks, np.float32).reshape(len(masks), catalogue.n_items)


def _summary(
    memoryless: FloatArray,
    valid: BoolArray,
    floors: FloatArray,
    pattern_mean: FloatArray,
    patterns: IntArray,
) -> FloatArray:
    """Relative size, lead of the head, mean popularity, mean topics and floor shares."""
    n = np.maximum(valid.sum(axis=1), 1)[:, None].astype(np.float32)
    size = n / valid.shape[1]
    head = memoryless[:, 0, :HEAD].mean(axis=1, keepdims=True)
    popularity = memoryless[:, 1].sum(axis=1, keepdims=True) / n
    # Counting patterns first keeps (U, N, T) out of memory.
    counts = np.zeros((len(valid), len(pattern_mean)), np.float32)
    np.add.at(counts, (np.arange(len(valid))[:, None], patterns), valid.astype(np.float32))
    topics = counts @ pattern_mean / n
    shares = floors.sum(axis=2).T / n
    return np.concatenate([size, head, popularity, topics, shares], axis=1).astype(np.float32)
