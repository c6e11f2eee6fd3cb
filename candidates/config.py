"""What to fit and how, as one validated record."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class CandidateConfig(BaseModel):
    """A RecBole model, its split and the size of the pools.

    Attributes:
        model: Name of a general or sequential RecBole model.
        top_n: Candidates per user.
        split: ``"random"`` (RecBole's RO) or ``"chronological"`` (TO), 8:1:1 within each user.
        seed: Seed of the split and of the training.
        epochs: Largest number of epochs; RecBole's default for the model where None. Training
            stops early when validation no longer improves.
        model_parameters: RecBole settings of the model or of its training, such as
            ``{"reg_weight": 250}``; names that RecBole does not know are refused.
        leave_one_out: Latest items of each history that are left out, one at a time, to see what
            the scores lose, for models that read the history when they score; None for 50, fewer
            where users are many. 0 does without.
        device: Where to train.
        timeout_seconds: Longest time one fit may take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "EASE"
    top_n: int = Field(default=100, ge=1)
    split: Literal["random", "chronological"] = "random"
    seed: int = Field(default=2020, ge=0, lt=2**32)
    epochs: int | None = Field(default=None, ge=1)
    model_parameters: dict[str, Any] = Field(default_factory=dict)
    leave_one_out: int | None = Field(default=None, ge=0)
    device: Literal["cpu", "cuda"] = "cpu"
    timeout_seconds: float = Field(default=3600.0, gt=0)
