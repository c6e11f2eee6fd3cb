"""What a feedback-loop study does, as a file of settings."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..candidates.config import CandidateConfig
from ..config_files import read_yaml, validate
from ..rerankers.constraints import Constraints
from ..rerankers.factory import RerankerConfig
from ..rerankers.topk import TopKConfig
from .config import ChoiceConfig, WorldConfig


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
    """The default world, with an attraction that suits any item instead of a chosen pool.

    A study gives a truth to every unseen item, most of which hold little appeal, so the mean
    click probability is lower than over the best candidates.
    """
    return WorldConfig(choice=ChoiceConfig(base_attraction=0.05))


class StudyConfig(_Settings):
    """Recommend, let simulated users choose, append, refit, measure; round after round.

    Attributes:
        name: Name of the study; its results are stored under it.
        candidates: RecBole model, split and pool size.
        rounds: Slates that each user is shown.
        refit_every: Rounds between two fits of the model.
        seeds: One repetition of all arms each: users, tastes and luck. Arms share them.
        users: How many users take part, drawn anew per seed; all where None.
        k: Slate length.
        arms: What is compared; the first one is the reference.
        constraints: Limits for re-rankers that know them; the caller's default where None.
        world: How simulated users choose. Only choice, tastes and satisfaction are used: one slate
            a day, nobody tires or leaves.
    """

    name: str = Field(default="study", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    candidates: CandidateConfig = CandidateConfig()
    rounds: int = Field(default=10, ge=1)
    refit_every: int = Field(default=1, ge=1)
    seeds: tuple[int, ...] = Field(default=(1, 2), min_length=1)
    users: int | None = Field(default=None, ge=2)
    k: int = Field(default=10, ge=1)
    arms: tuple[ArmConfig, ...] = Field(
        default=(ArmConfig(name="top-k", reranker=TopKConfig()),), min_length=1
    )
    constraints: Constraints | None = None
    world: WorldConfig = Field(default_factory=study_world)

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
