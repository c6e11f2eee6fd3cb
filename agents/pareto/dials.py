"""The targets of limits as numbers that can be asked for by name."""

from collections.abc import Mapping

import numpy as np

from ...arrays import FloatArray
from ...errors import InvalidValue
from ...rerankers.constraints import Constraints, ExposureLimit

DIVERSITY_DIAL = "diversity"
"""Name of the dial of ``Constraints.min_diversity``; the other dials are ``Constraints.names``."""


def dials(constraints: Constraints) -> dict[str, float | None]:
    """Every limit on slates by its name in reports, with its target; None where none is set.

    A floor's number is the least share, a ceiling's the largest, as they are written. Limits on
    engagement gaps are no dials: no weight of a slate holds them.
    """
    shares = [limit.share for limit in constraints.exposure]
    return {
        **dict(zip(constraints.names, shares, strict=True)),
        DIVERSITY_DIAL: constraints.min_diversity,
    }


def retargeted(constraints: Constraints, targets: Mapping[str, float]) -> Constraints:
    """The same limits with other targets; everything that is not named stays.

    A share that followed from a ratio to merit keeps its share of merit, and states the ratio that
    the new target comes to.

    Args:
        constraints: The limits, ratios resolved.
        targets: New targets, by names of `dials`.

    Raises:
        InvalidValue: A name is not that of a limit, or a target is no share.
    """
    known = dials(constraints)
    for name, target in targets.items():
        require_dial(name, known)
        if not (np.isfinite(target) and 0.0 <= target <= 1.0):
            raise InvalidValue(
                f"{target} is no share", field=f"targets[{name}]", mend="Use a number in [0, 1]."
            )
    exposure = tuple(
        _with_share(limit, targets[name]) if name in targets else limit
        for name, limit in zip(constraints.names, constraints.exposure, strict=True)
    )
    diversity = targets.get(DIVERSITY_DIAL, constraints.min_diversity)
    return constraints.model_copy(update={"exposure": exposure, "min_diversity": diversity})


def require_dial(name: str, known: Mapping[str, float | None]) -> None:
    """Refuse the name of a limit that is not there.

    Raises:
        InvalidValue: It is none of ``known``.
    """
    if name not in known:
        raise InvalidValue(
            f"no limit named {name!r}", field="limit", mend=f"Use one of {', '.join(known)}."
        )


def midpoints(nodes: FloatArray) -> FloatArray:
    """Half way between neighbours, ``(n,)`` to ``(n - 1,)``."""
    return (nodes[1:] + nodes[:-1]) / 2.0


def _with_share(limit: ExposureLimit, share: float) -> ExposureLimit:
    origin = limit.origin
    if origin is not None and origin.merit_share > 0.0:
        origin = origin.model_copy(update={"ratio": share / origin.merit_share})
    return limit.model_copy(update={"share": share, "origin": origin})
