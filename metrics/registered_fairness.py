"""The registry's metrics of who is served: items, groups of items, and groups of users."""

import numpy as np

from ..arrays import MISSING, FloatArray
from . import calibration, expected_exposure, exposure, gaps, prefix
from . import item_statistics as items
from .evidence import Evidence, given
from .impact import selection_impact
from .metric import Metric
from .terms import Terms

_HELD = ("held_users", "held_items")
_GROUPS = ("item_groups",)
_SINGH = "Singh & Joachims, KDD 2018"
_DIAZ = "Diaz et al., CIKM 2020"
_YANG = "Yang & Stoyanovich, SSDBM 2017"


def _relevance_by_group(evidence: Evidence) -> FloatArray:
    groups = given(evidence.item_groups)
    member = groups.codes[:, None] == np.arange(len(groups.names))
    return np.asarray(evidence.held @ member.astype(np.float64))


def _treatment(evidence: Evidence) -> Terms:
    return items.treatment_parity_of(evidence.exposure_by_group, _relevance_by_group(evidence))


def _impact(evidence: Evidence) -> Terms:
    groups = given(evidence.item_groups)
    clicked = np.where(evidence.relevance, evidence.lists, -1)
    clicks = exposure.group_exposure(clicked, groups.codes, len(groups.names))
    return items.treatment_parity_of(clicks, _relevance_by_group(evidence))


def _ndkl(evidence: Evidence) -> FloatArray:
    codes = given(evidence.item_groups).codes
    shown = np.where(evidence.lists >= 0, codes[evidence.lists], MISSING)
    complete = (shown != MISSING).all(axis=1)
    out = np.full(len(shown), np.nan)
    out[complete] = prefix.ndkl(shown[complete], given(evidence.target))
    return out


def _calibration(evidence: Evidence) -> FloatArray:
    shown = calibration.topic_distribution(evidence.lists, given(evidence.topics))
    return calibration.calibration_kl(given(evidence.profile_topics), shown)


def _awrf(distance: exposure.ShareDistance):
    def measured(evidence: Evidence) -> FloatArray:
        codes = given(evidence.item_groups).codes
        return exposure.awrf(evidence.lists, codes, given(evidence.target), distance)

    return measured


EXPOSURE = (
    Metric(
        "exposure_parity",
        "exposure",
        "smallest / largest exposure per item over groups of items",
        "higher",
        _SINGH,
        exposure.parity_ratio,
        needs=_GROUPS,
        measured=lambda e: items.parity_of(e.exposure_by_group, e.group_sizes),
    ),
    Metric(
        "worst_half_share",
        "exposure",
        "share of exposure held by the worse half of the groups (MMF@worst-half)",
        "higher",
        "Xu et al., WWW 2023",
        exposure.worst_half_share,
        needs=_GROUPS,
        measured=lambda e: items.worst_half_of(e.exposure_by_group, e.group_sizes),
    ),
    Metric(
        "dtr",
        "exposure",
        "(exposure / relevance) of group A / the same of group B",
        "target",
        _SINGH,
        exposure.disparate_treatment_ratio,
        target=1.0,
    ),
    Metric(
        "treatment_parity",
        "exposure",
        "smallest DTR between any two groups, relevance being held-out pairs",
        "higher",
        _SINGH,
        items.treatment_parity_of,
        needs=(*_GROUPS, *_HELD),
        measured=_treatment,
    ),
    Metric(
        "dir",
        "exposure",
        "dtr with click-through, exposure × relevance, in place of exposure",
        "target",
        _SINGH,
        exposure.disparate_impact_ratio,
        target=1.0,
    ),
    Metric(
        "impact_parity",
        "exposure",
        "smallest DIR between any two groups, clicks being exposed held-out pairs",
        "higher",
        _SINGH,
        items.treatment_parity_of,
        needs=(*_GROUPS, *_HELD),
        measured=_impact,
    ),
    Metric(
        "iaa",
        "exposure",
        "Σ |attention share − relevance share| over items, 0 to 2",
        "lower",
        "Biega et al., SIGIR 2018",
        exposure.amortised_inequity,
        needs=_HELD,
        measured=lambda e: items.inequity_of(e.exposure, e.held),
    ),
    Metric(
        "ee_disparity",
        "exposure",
        "ε·ε: how unequally exposure is expected under a policy (EE-D)",
        "lower",
        _DIAZ,
        expected_exposure.expected_exposure_disparity,
    ),
    Metric(
        "ee_relevance",
        "exposure",
        "ε·ε*: how much expected exposure falls on relevant items (EE-R)",
        "higher",
        _DIAZ,
        expected_exposure.expected_exposure_relevance,
    ),
    Metric(
        "ee_loss",
        "exposure",
        "‖ε − ε*‖²: distance from the ideal stochastic policy (EE-L)",
        "lower",
        _DIAZ,
        expected_exposure.expected_exposure_loss,
    ),
    Metric(
        "awrf_tv",
        "exposure",
        "1 − total variation between a list's exposure shares and the target",
        "higher",
        "Sapiezynski et al., WWW companion 2019",
        exposure.awrf,
        needs=(*_GROUPS, "target"),
        measured=_awrf("tv"),
    ),
    Metric(
        "awrf_js",
        "exposure",
        "1 − Jensen-Shannon divergence (bits) of the same",
        "higher",
        "Sapiezynski et al., WWW companion 2019; Raj & Ekstrand, SIGIR 2022",
        exposure.awrf,
        needs=(*_GROUPS, "target"),
        measured=_awrf("js"),
    ),
    Metric(
        "rnd",
        "exposure",
        "difference of the protected share in prefixes, discounted, / worst order",
        "lower",
        _YANG,
        prefix.prefix_disparity,
    ),
    Metric(
        "rkl",
        "exposure",
        "KL divergence of the protected share in prefixes, discounted, / worst order",
        "lower",
        _YANG,
        prefix.prefix_disparity,
    ),
    Metric(
        "rrd",
        "exposure",
        "difference of the protected ratio in prefixes, discounted, / worst order",
        "lower",
        _YANG,
        prefix.prefix_disparity,
    ),
    Metric(
        "ndkl",
        "exposure",
        "mean KL divergence of prefix shares from the target, discounted, nats",
        "lower",
        "Geyik et al., KDD 2019",
        prefix.ndkl,
        needs=(*_GROUPS, "target"),
        measured=_ndkl,
    ),
)

CALIBRATION = (
    Metric(
        "calibration_kl",
        "calibration",
        "KL divergence of a list's topics from those of the user's history, nats",
        "lower",
        "Steck, RecSys 2018",
        calibration.calibration_kl,
        needs=("topics", "profile_topics"),
        measured=_calibration,
    ),
)

USERS = (
    Metric(
        "user_gap",
        "users",
        "largest − smallest group mean of any per-user metric",
        "lower",
        "Ekstrand et al., FAT* 2018; Li et al., WWW 2021",
        gaps.gap,
    ),
    Metric(
        "user_ratio",
        "users",
        "smallest / largest group mean of any per-user metric",
        "higher",
        "Ekstrand et al., FAT* 2018",
        gaps.ratio,
    ),
    Metric(
        "utility_loss",
        "users",
        "what a user loses of a metric against the base order",
        "lower",
        "Patro et al., WWW 2020",
        gaps.utility_loss,
    ),
    Metric(
        "impact_ratio",
        "users",
        "selection rate of a group / highest group's rate",
        "higher",
        "NYC Local Law 144, 6 RCNY § 5-300",
        selection_impact,
    ),
)
