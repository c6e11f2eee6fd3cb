"""Limits on exposure against merit become limits on exposure shares, on given pools.

Singh & Joachims 2018, "Fairness of Exposure in Rankings": exposure in proportion to merit. A share
of merit does not depend on what is shown, so ``exposure share / merit share ≥ r`` says the
same as ``exposure share ≥ r · merit share``, and everything that holds floors can hold it.
"""

import numpy as np

from ..arrays import MISSING, FloatArray
from ..candidates.catalogue import Catalogue, Groups
from ..candidates.pools import CandidatePools
from ..errors import EmptyData, InvalidValue, UnreachableConstraint
from .constraints import (
    Constraints,
    ExposureCeiling,
    ExposureFloor,
    ExposureLimit,
    ExposureRatio,
    LeftOut,
    Merit,
    RatioOrigin,
)

MOST_LIMITS = 64
"""Limits that one set of ratios may resolve to; each is a scoring feature and two observations."""


def resolve(constraints: Constraints, pools: CandidatePools, catalogue: Catalogue) -> Constraints:
    """The same constraints with every ratio as floors and ceilings on shares.

    Each of them carries its `RatioOrigin`; groups that got none are listed in ``left_out``. Merit
    is that of what the hard filters leave. Constraints without ratios come back as they are.

    Args:
        constraints: May hold ratios.
        pools: Of the users that the limits are for.
        catalogue: The items.

    Raises:
        InvalidValue: An attribute or group is unknown, a named group has no merit on these pools,
            or there are more than `MOST_LIMITS`.
        UnreachableConstraint: A group would need more than all of the exposure.
        EmptyData: No pool holds a candidate.
    """
    if not constraints.ratios:
        return constraints
    allowed = constraints.filters.allowed(catalogue)
    kept = pools.keep(allowed)
    limits: list[ExposureLimit] = []
    left_out: list[LeftOut] = []
    for ratio in constraints.ratios:
        groups = catalogue.group(ratio.attribute)
        groups = Groups(groups.attribute, groups.names, np.where(allowed, groups.codes, REMOVED))
        found, missed = _resolved(ratio, groups, merit_shares(kept, groups, ratio.merit))
        limits += found
        left_out += missed
    if len(limits) > MOST_LIMITS:
        raise InvalidValue(
            f"{len(limits)} limits follow from the ratios, more than {MOST_LIMITS}",
            field="constraints.ratios",
            mend="Raise min_merit, or declare fewer and larger groups.",
        )
    return constraints.model_copy(
        update={
            "exposure": (*constraints.exposure, *limits),
            "ratios": (),
            "left_out": (*constraints.left_out, *left_out),
        }
    )


REMOVED = MISSING - 1
"""Code of an item that the filters took out: neither in a group nor without one."""


def merit_shares(pools: CandidatePools, groups: Groups, merit: Merit) -> FloatArray:
    """Share of each group in the merit of all items, shape ``(G,)``.

    - ``"pool"``: mean over users of the share of their candidates in the group. A slate drawn
      evenly from the pool gives the group this share of the exposure.
    - ``"relevance"``: the same, each candidate counted by how far its score lies above the lowest
      of the pool, because base scores have no zero of their own. Equal scores all count alike.
    - ``"catalogue"``: share of the items.

    Each user counts the same, as in the mean over slates that it is compared with. Items whose
    group is not known are part of the whole, so the shares may sum to less than 1.

    Args:
        pools: The candidates.
        groups: Of the items; ``REMOVED`` ones do not count.
        merit: Which of the three.

    Raises:
        EmptyData: No pool holds a candidate (no item is left, for ``"catalogue"``).
    """
    n_groups = len(groups.names)
    if merit == "catalogue":
        counted = groups.codes[groups.codes != REMOVED]
        if not len(counted):
            raise EmptyData("no item is left", field="catalogue")
        return np.bincount(counted[counted != MISSING], minlength=n_groups) / len(counted)
    valid = pools.valid
    worth = valid.astype(np.float64)
    if merit == "relevance":
        scores = pools.scores.astype(np.float64)
        lowest = np.where(valid, scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
        above = np.where(valid, scores - lowest, 0.0)
        worth = np.where(above.any(axis=1, keepdims=True), above, worth)
    total = worth.sum(axis=1)
    if not (total > 0).any():
        raise EmptyData("no pool holds a candidate", field="pools")
    worth = worth[total > 0] / total[total > 0, None]
    codes = groups.codes[np.where(valid, pools.items, 0)][total > 0]
    known = codes >= 0
    return np.bincount(codes[known], worth[known], n_groups) / len(worth)


def _resolved(
    ratio: ExposureRatio, groups: Groups, shares: FloatArray
) -> tuple[list[ExposureLimit], list[LeftOut]]:
    """Limits of one ratio, and the groups without one."""
    if ratio.group is not None:
        groups.mask(ratio.group)  # refuses a name that is none of the groups
    limits: list[ExposureLimit] = []
    left_out: list[LeftOut] = []

    def leave_out(group: str, share: float, reason: str) -> None:
        left_out.append(
            LeftOut(
                attribute=ratio.attribute,
                group=group,
                merit=ratio.merit,
                merit_share=share,
                reason=reason,
            )
        )

    for group, share in zip(groups.names, shares.tolist(), strict=True):
        if not ratio.every_group and group != ratio.group:
            continue
        if ratio.every_group and (share < ratio.min_merit or share == 0.0):
            leave_out(group, share, f"less than {ratio.min_merit:g} of the merit")
            continue
        if share == 0.0:
            raise InvalidValue(
                f"{ratio.attribute}={group} has no {ratio.merit} merit, so it has no ratio",
                field="constraints.ratios",
                mend="Leave it out, or use pools that hold its items.",
            )
        if ratio.at_least is not None:
            limits.append(_floor(ratio, group, share, ratio.at_least))
        if ratio.at_most is not None and ratio.at_most * share < 1.0:
            limits.append(
                ExposureCeiling(
                    attribute=ratio.attribute,
                    group=group,
                    share=ratio.at_most * share,
                    window=ratio.window,
                    origin=RatioOrigin(merit=ratio.merit, merit_share=share, ratio=ratio.at_most),
                )
            )
        elif ratio.at_most is not None:
            leave_out(group, share, f"no exposure is more than {ratio.at_most:g} times its merit")
    return limits, left_out


def _floor(ratio: ExposureRatio, group: str, share: float, at_least: float) -> ExposureFloor:
    if at_least * share > 1.0:
        raise UnreachableConstraint(
            f"{ratio.attribute}={group} has {share:.4g} of the merit; {at_least:g} times as much "
            "is more than all of the exposure",
            field="constraints.ratios",
            mend=f"Ask for at_least {1.0 / share:.4g} or less.",
        )
    return ExposureFloor(
        attribute=ratio.attribute,
        group=group,
        share=at_least * share,
        window=ratio.window,
        origin=RatioOrigin(merit=ratio.merit, merit_share=share, ratio=at_least),
    )
