"""The parts of an audit that look at one attribute of items or of users."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...arrays import MISSING, FloatArray
from ...candidates.catalogue import Groups
from ...metrics.exposure import parity_ratio
from .figures import Ratio, Sampled, printed
from .gaps import untested
from .models import (
    AuditConfig,
    GapFigure,
    ItemAttribute,
    ItemGroup,
    UserAttribute,
    UserGroup,
)
from .view import SlateView


def item_ratios(view: SlateView, attributes: Mapping[str, Groups]) -> dict[str, Ratio]:
    """Exposure share, and exposure per item and 1,000 slates, of every group of items."""
    out: dict[str, Ratio] = {}
    everything = view.exposure()
    slates = view.slates_per_user.astype(np.float64)
    for attribute, groups in attributes.items():
        by_group = view.exposure_by_group(groups)
        sizes = _sizes(groups)
        for g, name in enumerate(groups.names):
            key = f"item.{attribute}.{name}"
            out[f"{key}.share"] = Ratio(by_group[:, g], everything, view.n_users)
            per_slate = slates * sizes[g]
            out[f"{key}.per_item"] = Ratio(by_group[:, g], per_slate, view.n_users, 1000.0)
    return out


def item_attribute(
    view: SlateView,
    groups: Groups,
    sampled: Mapping[str, Sampled],
    gap: GapFigure,
    config: AuditConfig,
) -> ItemAttribute:
    """Shares, exposure per item, parity and the gap test of one attribute of items."""
    sizes = _sizes(groups)
    n_items = len(groups.codes)
    filled = view.filled
    shown = groups.codes[view.inputs.slates[filled]]
    positions = np.bincount(shown[shown != MISSING], minlength=len(groups.names))
    share = sum(sampled[f"item.{groups.attribute}.{n}.share"].estimate for n in groups.names)
    rows: dict[str, ItemGroup] = {}
    for g, name in enumerate(groups.names):
        key = f"item.{groups.attribute}.{name}"
        rows[name] = ItemGroup(
            items=int(sizes[g]),
            catalogue_share=float(sizes[g] / n_items),
            positions=int(positions[g]),
            share=printed(sampled[f"{key}.share"], config),
            per_item=printed(sampled[f"{key}.per_item"], config),
        )
    missing = groups.n_missing
    return ItemAttribute(
        groups=rows,
        missing_items=missing,
        missing_share=max(0.0, 1.0 - share) if missing else 0.0,
        parity=printed(_parity(groups, sampled, view.n_users), config),
        gap=gap,
    )


def user_ratios(
    view: SlateView,
    attributes: Mapping[str, Groups],
    measures: Mapping[str, FloatArray],
    wanted: Sequence[str],
) -> dict[str, Ratio]:
    """The mean of each wanted measure in every group of users."""
    out: dict[str, Ratio] = {}
    for attribute, groups in attributes.items():
        codes = view.codes(groups)
        for g, name in enumerate(groups.names):
            for measure in wanted:
                inside = np.where(codes == g, measures[measure], np.nan)
                out[f"user.{attribute}.{name}.{measure}"] = Ratio.mean(inside)
    return out


def user_attribute(
    view: SlateView,
    groups: Groups,
    sampled: Mapping[str, Sampled],
    gaps: Mapping[str, GapFigure],
    config: AuditConfig,
    wanted: Sequence[str],
) -> UserAttribute:
    """Measures by group and the gap tests of one attribute of users."""
    codes = view.codes(groups)
    counts = np.bincount(codes[codes != MISSING], minlength=len(groups.names))
    prefix = f"user.{groups.attribute}"
    return UserAttribute(
        groups={
            name: UserGroup(
                users=int(counts[g]),
                measures={m: printed(sampled[f"{prefix}.{name}.{m}"], config) for m in wanted},
            )
            for g, name in enumerate(groups.names)
        },
        missing_users=int(np.count_nonzero(codes == MISSING)),
        suppressed=tuple(
            name for g, name in enumerate(groups.names) if counts[g] < config.small_cell
        ),
        gaps={m: gaps.get(f"{prefix}.{m}", untested()) for m in wanted},
    )


def _parity(groups: Groups, sampled: Mapping[str, Sampled], n_users: int) -> Sampled:
    """Smallest / largest exposure per item, computed anew in every replicate."""
    parts = [sampled[f"item.{groups.attribute}.{name}.per_item"] for name in groups.names]
    estimate = parity_ratio(np.array([part.estimate for part in parts]))
    replicates = parity_ratio(np.stack([part.replicates for part in parts], axis=1))
    return Sampled(float(estimate), replicates, n_users)


def _sizes(groups: Groups) -> np.ndarray:
    """Items of each group, shape ``(G,)``."""
    return np.bincount(groups.codes[groups.codes != MISSING], minlength=len(groups.names))
