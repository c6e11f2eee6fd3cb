"""How probable slates are under a policy: whole, by prefix, by item and position, by item alone."""

from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue, NotIdentified
from ...metrics.plackett_luce import plackett_luce_exposures
from ...rerankers.stochastic.plackett_luce import log_propensity

Kind = Literal["slate", "prefix", "item", "anywhere"]

_ROUNDING = 1e-9
_MENDS = {
    "slate": "Give the probability of each whole slate, shape (n,).",
    "prefix": "Give the probability of the first j items in this order, shape (n, k).",
    "item": "Give the probability of each item at its position, shape (n, k).",
    "anywhere": "Give the probability of each item at any position, shape (n, k).",
}


@dataclass(frozen=True, slots=True)
class Propensities:
    """Probabilities that one policy gives to ``n`` slates of ``k`` positions; None if not known.

    They belong to the slates that the *logging* policy showed, also where the policy is another.

    Attributes:
        slate: Of the whole slate in this order, shape ``(n,)``.
        prefix: Of the first j items in this order, shape ``(n, k)``; the last column is ``slate``.
        item: Of the item at its position, whatever stands beside it, shape ``(n, k)``.
        anywhere: Of the item at any position of the slate, shape ``(n, k)``.
    """

    slate: FloatArray | None = None
    prefix: FloatArray | None = None
    item: FloatArray | None = None
    anywhere: FloatArray | None = None

    def require(self, kind: Kind, of: str) -> FloatArray:
        """The probabilities of one kind.

        Args:
            kind: Which.
            of: Whose they are, for the error: ``"logging"`` or ``"target"``.

        Raises:
            NotIdentified: They are not known.
        """
        values: FloatArray | None = getattr(self, kind)
        if values is None:
            raise NotIdentified(
                f"the {of} policy's probabilities are not known by {kind}",
                field=f"{of}.{kind}",
                mend=_MENDS[kind] + " Or use a method that needs others.",
            )
        return values

    def take(self, rows: np.ndarray) -> "Propensities":
        """Those of some slates."""
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{n: v[rows] for n, v in known.items() if v is not None})

    def require_valid(self, shape: tuple[int, int], of: str, above_zero: bool) -> None:
        """Refuse what is no probability, or of another shape.

        Args:
            shape: ``(n, k)``.
            of: Whose they are, for the error.
            above_zero: Whether 0 is refused as well: what was shown was possible.

        Raises:
            InvalidValue: NaN, below 0, above 1, 0 where it may not be, a wrong shape, prefixes
                that grow, or prefixes that end elsewhere than at the slate.
        """
        for field in fields(self):
            values = getattr(self, field.name)
            if values is not None:
                expected = shape[:1] if field.name == "slate" else shape
                _require_probabilities(values, expected, f"{of}.{field.name}", above_zero)
        if self.prefix is None:
            return
        if (np.diff(self.prefix, axis=1) > _ROUNDING * self.prefix[:, :-1]).any():
            raise InvalidValue(
                "a prefix is more probable than a shorter one",
                field=f"{of}.prefix",
                mend="Give the joint probability of the first j items, not that of the j-th alone.",
            )
        if self.slate is not None and not np.allclose(
            self.prefix[:, -1], self.slate, rtol=1e-6, atol=0.0
        ):
            raise InvalidValue(
                "the last prefix and the slate differ in probability",
                field=f"{of}.prefix",
                mend="The first k items are the slate: give both under one law.",
            )


def certain(shown: IntArray, chosen: IntArray) -> Propensities:
    """Probabilities under a policy that leaves nothing to chance.

    Args:
        shown: Items that were logged, shape ``(n, k)``.
        chosen: Items that the policy shows instead, shape ``(n, k)``.

    Returns:
        1 where they agree and 0 elsewhere, of all four kinds.
    """
    if shown.shape != chosen.shape:
        raise InvalidValue(
            f"slates of shape {chosen.shape} for a log of {shown.shape}",
            field="chosen",
            mend="Give one slate of the same length for each logged one.",
        )
    same = shown == chosen
    prefix = np.logical_and.accumulate(same, axis=1)
    anywhere = (shown[:, :, None] == chosen[:, None, :]).any(axis=2)
    return Propensities(
        *(part.astype(np.float64) for part in (prefix[:, -1], prefix, same, anywhere))
    )


def plackett_luce(logits: FloatArray, columns: IntArray, by_item: bool = True) -> Propensities:
    """Exact probabilities of slates under a Plackett-Luce policy (Luce 1959, Plackett 1975).

    Args:
        logits: Log weights of the candidates, shape ``(n, N)``; −inf where there is none.
        columns: Which candidates were shown, top position first, shape ``(n, k)``.
        by_item: Whether ``item`` and ``anywhere`` are wanted. They are marginals over all slates:
            O(n N k²) against O(n (N + k)) without.
    """
    k = columns.shape[1]
    log_prefix = np.stack([log_propensity(logits, columns[:, : j + 1]) for j in range(k)], axis=1)
    prefix = np.exp(log_prefix)
    if not by_item:
        return Propensities(slate=prefix[:, -1], prefix=prefix)
    at = [
        np.take_along_axis(plackett_luce_exposures(logits, k, row), columns, axis=1)
        for row in np.eye(k)
    ]
    item = np.stack([chances[:, j] for j, chances in enumerate(at)], axis=1)
    anywhere = np.minimum(np.sum(at, axis=0), 1.0)
    return Propensities(prefix[:, -1], prefix, np.minimum(item, 1.0), anywhere)


def _require_probabilities(
    values: FloatArray, shape: tuple[int, ...], field: str, above_zero: bool
) -> None:
    if values.shape != shape:
        raise InvalidValue(
            f"shape {values.shape}, expected {shape}",
            field=field,
            mend="Give one probability for each logged slate (and position).",
        )
    if np.isnan(values).any():
        raise InvalidValue(
            f"{int(np.isnan(values).sum()):,} of {values.size:,} probabilities are missing",
            field=field,
            mend="Log each one when the slate is drawn; leave out slates without, and say so.",
        )
    if (values < 0.0).any() or (values > 1.0 + _ROUNDING).any():
        raise InvalidValue("holds a number outside [0, 1]", field=field, mend="Give probabilities.")
    # The policies log the smallest float in place of what is too small for one: no ratio is left.
    if above_zero and (values <= np.finfo(np.float64).tiny).any():
        raise InvalidValue(
            f"{int((values <= np.finfo(np.float64).tiny).sum()):,} of {values.size:,} slates that "
            "were shown have probability 0, or one too small to be written down",
            field=field,
            mend="What was shown was possible: correct the log, or log shorter prefixes.",
        )
