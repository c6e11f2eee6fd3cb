"""What a feedback-loop study does, as a file of settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ...candidates.config import CandidateConfig
from ...config_files import read_yaml, validate
from ...rerankers.constraints import Constraints
from ...rerankers.factory import RerankerConfig
from ...rerankers.topk import TopKConfig
from ..config import ChoiceConfig, WorldConfig
from .feedback import FeedbackConfig

LONGEST = 3650
"""Rounds, and so days, that the simulated calendar reaches."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArmConfig(_Settings):
    """One way to order the candidates: a re-ranker's settings or a stored policy.

    Attributes:
        name: Name in the results.
        reranker: Settings of a re-ranker.
        policy: Version of a stored policy, or ``"latest"``.
    """

    name: str = Field(min_length=1)
    reranker: RerankerConfig | None = None
    policy: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "ArmConfig":
        if (self.reranker is None) == (self.policy is None):
            raise ValueError(f"arm {self.name!r} needs either a reranker or a policy")
        return self


def study_world() -> WorldConfig:
    """A world without memory, with an attraction that suits any item instead of a chosen pool.

    A study gives a truth to every unseen item, most of which hold little appeal, so the mean
    click probability is lower than over the best candidates.
    """
    choice = ChoiceConfig(base_attraction=0.05)
    return WorldConfig.static().model_copy(update={"choice": choice})


def laid_over(world: WorldConfig, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a world with some of them changed.

    A dynamic that is named is on, unless it says ``enabled: false``: nobody tunes what is off.

    Args:
        world: What holds for everything that is not named.
        settings: Nested settings as in a YAML file.
    """
    plain = world.model_dump()
    for name, given in settings.items():
        before = plain.get(name)
        if not isinstance(before, dict) or not isinstance(given, Mapping):
            plain[name] = given
            continue
        on = {"enabled": True} if "enabled" in before else {}
        plain[name] = before | on | dict(cast("Mapping[str, Any]", given))
    return plain


class StudyConfig(_Settings):
    """Recommend, let simulated users choose, append, refit, measure; round after round.

    Attributes:
        name: Name of the study; its results are stored under it.
        candidates: RecBole model, split and pool size.
        rounds: Days of the study. Whoever comes on a day is shown a slate.
        refit_every: Rounds between two fits of the model.
        seeds: One repetition of all arms each: users, tastes and luck. Arms share them.
        users: How many users take part, drawn anew per seed; all where None.
        k: Slate length.
        arms: What is compared; the first one is the reference.
        constraints: Limits for re-rankers that know them; the caller's default where None.
        feedback: Which reactions become data, and how much is explored.
        world: How simulated users choose, tire, drift, leave and return. What is left out is as in
            `study_world`: one slate a day, and nobody changes. See `laid_over`. Slate length and
            horizon are those of the study.
        keep_log: Whether every impression is stored with the results.
    """

    name: str = Field(default="study", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    candidates: CandidateConfig = CandidateConfig()
    rounds: int = Field(default=10, ge=1, le=LONGEST)
    refit_every: int = Field(default=1, ge=1)
    seeds: tuple[int, ...] = Field(default=(1, 2), min_length=1)
    users: int | None = Field(default=None, ge=2)
    k: int = Field(default=10, ge=1)
    arms: tuple[ArmConfig, ...] = Field(
        default=(ArmConfig(name="top-k", reranker=TopKConfig()),), min_length=1
    )
    constraints: Constraints | None = None
    feedback: FeedbackConfig = FeedbackConfig()
    world: WorldConfig = Field(default_factory=study_world)
    keep_log: bool = True

    @field_validator("world", mode="before")
    @classmethod
    def _over_the_static_world(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return laid_over(study_world(), cast("Mapping[str, Any]", value))

    @model_validator(mode="after")
    def _names_and_seeds_differ(self) -> "StudyConfig":
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names):
            raise ValueError(f"arms share a name: {names}")
        if len(set(self.seeds)) != len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"seeds must differ and be at least 0: {self.seeds}")
        if self.k > self.candidates.top_n:
            raise ValueError(f"k={self.k} is above candidates.top_n={self.candidates.top_n}")
        return self


def load_study(path: Path) -> StudyConfig:
    """Read a YAML file; ``docs/examples/study.yaml`` has every setting.

    Raises:
        InvalidValue: There is no such file, it is not YAML, or a setting is unknown or out of
            range; the field is named.
    """
    return validate(StudyConfig, read_yaml(path), "study")
