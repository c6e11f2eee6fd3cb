"""What is kept of a tuned baseline and of a training seed, as plain values.

Floats are written so that they are read back exactly; tensors are in the format of stored policies.
"""

import base64

import numpy as np
from pydantic import BaseModel, ConfigDict
from safetensors.numpy import load, save

from ..rerankers.constraints import Constraints
from .baselines import Member, SearchPoint, Tuned
from .curves import Curve, CurveValues
from .families import Family
from .policy import WeightPolicy
from .storage import CurvePoint, policy_of, tensors_of


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class KeptMember(_Model):
    """A member of a family that is known where this is read."""

    point: tuple[float, ...]
    knobs: tuple[float, ...]

    @classmethod
    def of(cls, member: Member) -> "KeptMember":
        """Its numbers."""
        return cls(point=tuple(member.point.tolist()), knobs=tuple(member.knobs.tolist()))

    def member(self, family: Family) -> Member:
        """The member of a family."""
        return Member(family, np.array(self.point), np.array(self.knobs))


class KeptTuning(_Model):
    """A `Tuned` without its family."""

    member: KeptMember
    halfway: KeptMember
    steps: int
    curve: tuple[SearchPoint, ...]

    @classmethod
    def of(cls, tuned: Tuned) -> "KeptTuning":
        """What tuning gave."""
        member, halfway = KeptMember.of(tuned.member), KeptMember.of(tuned.halfway)
        return cls(member=member, halfway=halfway, steps=tuned.steps, curve=tuned.curve)

    def tuned(self, family: Family) -> Tuned:
        """The same, for its family."""
        members = (self.member.member(family), self.halfway.member(family))
        return Tuned(*members, self.steps, self.curve)


class KeptPolicy(_Model):
    """A `WeightPolicy`; ``tensors`` is a safetensors file in base64."""

    constraints: Constraints
    feature_names: tuple[str, ...]
    observation_names: tuple[str, ...]
    n_hidden: int
    tensors: str

    @classmethod
    def of(cls, policy: WeightPolicy) -> "KeptPolicy":
        """Its names and arrays."""
        return cls(
            constraints=policy.constraints,
            feature_names=policy.feature_names,
            observation_names=policy.observation_names,
            n_hidden=len(policy.hidden),
            tensors=base64.b64encode(save(tensors_of(policy))).decode(),
        )

    def policy(self) -> WeightPolicy:
        """The policy."""
        return policy_of(load(base64.b64decode(self.tensors)), self)


class KeptSeed(_Model):
    """A `TrainedSeed`; see there for the fields."""

    policy: KeptPolicy
    tuned: KeptTuning
    units: tuple[float, ...]
    curve: tuple[CurvePoint, ...]
    gain: float
    held: bool
    engagement: float
    steps: int


def search_curve(points: tuple[SearchPoint, ...]) -> Curve:
    """A search for TensorBoard."""
    return tuple(
        CurveValues(p.steps, {"search/best trial": p.best, "search/mean trial": p.mean})
        for p in points
    )


def learning_curve(points: tuple[CurvePoint, ...], names: tuple[str, ...]) -> Curve:
    """Learning for TensorBoard.

    Args:
        points: One for each rollout.
        names: Of the constraints, in the order of the costs.
    """
    return tuple(
        CurveValues(
            p.steps,
            {
                "engagement per slate": p.reward,
                **{f"violation/{n}": c for n, c in zip(names, p.costs, strict=True)},
                **{f"multiplier/{n}": m for n, m in zip(names, p.multipliers, strict=True)},
            },
        )
        for p in points
    )
