"""How many held-out users an evaluation needs, so that a better policy is seen to be better."""

import math

from pydantic import BaseModel, ConfigDict
from scipy.special import ndtr, ndtri

from ..report import EvaluationReport


class Power(BaseModel):
    """What an evaluation of this size can show.

    Attributes:
        worth: True ratio of engagement that should not be missed.
        chance: Probability that a policy of that ratio passes the comparison with the best
            baseline, as the evaluation was done.
        users: Held-out users with which that probability is reached that was asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    worth: float
    chance: float
    users: int


def power_of(report: EvaluationReport, needed: float, worth: float, wanted: float) -> Power | None:
    """Power of the comparison with the best baseline, from the spread that was measured.

    The lower bound of the ratio is about ``ratio - z se``, and ``se`` falls with the square root
    of the number of users. More simulator seeds help as well, but only against luck, not against
    differences between users.

    Args:
        report: The evaluation.
        needed: Least lower bound of the ratio.
        worth: True ratio that should not be missed, above ``needed``.
        wanted: Probability that is asked for.

    Returns:
        None where the report names no baseline or no spread.
    """
    ratio = report.learned.engagement_ratio
    z = float(ndtri((1.0 + report.confidence) / 2.0))
    error = (ratio.high - ratio.low) / (2.0 * z)
    if report.best_baseline is None or not math.isfinite(error) or worth <= needed:
        return None
    if error <= 0.0:
        return Power(worth=worth, chance=1.0, users=min(report.n_users, 2))
    chance = float(ndtr((worth - needed) / error - z))
    enough = (worth - needed) / (z + float(ndtri(wanted)))
    users = math.ceil(report.n_users * (error / enough) ** 2)
    return Power(worth=worth, chance=chance, users=max(users, 2))
