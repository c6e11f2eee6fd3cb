"""Which users a policy learns from, is tuned on, and is judged on."""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..arrays import IntArray
from ..errors import InvalidValue


class SplitConfig(BaseModel):
    """Shares of the users; what is left after ``train`` and ``validation`` is for the test."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: float = Field(default=0.4, gt=0.0, lt=1.0)
    validation: float = Field(default=0.25, gt=0.0, lt=1.0)

    @model_validator(mode="after")
    def _leave_users_for_the_test(self) -> "SplitConfig":
        if self.train + self.validation >= 1.0:
            raise ValueError("train + validation must leave users for the test")
        return self


@dataclass(frozen=True, slots=True)
class UserSplit:
    """Rows of the users of each part, ascending and disjoint.

    Attributes:
        train: Rows that learning and the search for weights see.
        validation: Rows that offsets are calibrated on and that choose among training seeds.
        test: Rows that only `evaluate` sees.
    """

    train: IntArray
    validation: IntArray
    test: IntArray


def split_users(n_users: int, config: SplitConfig, seed: int) -> UserSplit:
    """Draw a split of ``n_users`` rows; equal seeds give equal splits.

    Raises:
        InvalidValue: A part would hold fewer than two users, with which no interval can be made.
    """
    order = np.random.default_rng(np.random.SeedSequence(seed)).permutation(n_users)
    first = round(config.train * n_users)
    second = first + round(config.validation * n_users)
    parts = [np.sort(part) for part in (order[:first], order[first:second], order[second:])]
    if min(len(part) for part in parts) < 2:
        raise InvalidValue(
            f"{n_users} users split into parts of {', '.join(str(len(p)) for p in parts)}",
            field="users",
            mend="Use more users, or other shares in the split.",
        )
    return UserSplit(*parts)
