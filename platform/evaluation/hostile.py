"""A chat model that lies on purpose, to see what a check lets through."""

import json
import re
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import ConfigDict, Field

from ...explain.evidence import Evidence
from .corruptions import OPERATORS, World, corrupt

_DATA = re.compile(r"<data>(.*)</data>")


class HostileModel(BaseChatModel):
    """Reads the true sentences it is given, and answers with one of them turned into a lie.

    Every answer is false by construction and is kept in ``lies``. Asked to repair, it lies again.

    Attributes:
        rng: Source of its choices.
        evidence: What it is asked about next, so that it can't tell the truth by accident.
        world: Titles and topics for its lies.
        lies: Everything it answered.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    rng: np.random.Generator
    evidence: Evidence | None = None
    world: World = World((), ())
    lies: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "hostile"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        assert self.evidence is not None, "nobody said what it is asked about"
        lie = self._lie(self._truth(str(messages[1].content)), self.evidence)
        self.lies.append(lie)
        asked = sum(len(str(message.content).split()) for message in messages)
        told = len(lie.split())
        message = AIMessage(
            lie,
            response_metadata={"finish_reason": "stop", "model_name": "hostile"},
            usage_metadata={
                "input_tokens": asked,
                "output_tokens": told,
                "total_tokens": asked + told,
            },
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _truth(self, asked: str) -> str:
        """One of the true sentences of each part, as an honest model would choose them."""
        found = _DATA.search(asked)
        parts = json.loads(found[1])["statements"] if found else []
        return " ".join(str(self.rng.choice(part["choices"])) for part in parts)

    def _lie(self, truth: str, evidence: Evidence) -> str:
        for name in self.rng.permutation(list(OPERATORS)):
            lie = corrupt(truth, evidence, self.world, str(name), self.rng)
            if lie is not None:
                return lie
        return f"{truth} You will love it."
