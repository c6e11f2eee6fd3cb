"""What each part of a judgement found, as data and as a sentence."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Part = Literal["evidence", "constraint", "simple baselines", "best baseline", "logged decisions"]


class Finding(BaseModel):
    """One finding.

    Attributes:
        part: Which part of the rule it belongs to.
        holds: Whether that part holds; None where nothing can be said.
        decides: Whether the verdict depends on it. What is only advice is told and no more.
        sentence: What was found, for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: Part
    holds: bool | None
    decides: bool = True
    sentence: str

    @property
    def refuses(self) -> bool:
        """Whether it keeps the policy from serving: doubt works against a policy."""
        return self.decides and self.holds is not True
