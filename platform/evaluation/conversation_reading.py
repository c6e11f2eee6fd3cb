"""Reads the utterance set as a conversation would, turn by turn."""

import time
from collections.abc import Sequence

import numpy as np

from ...explain.understanding.memory import Memory
from ...explain.understanding.parser import Parser
from ...explain.utterances.load import Meaning, Utterance
from .conversation_report import Latency


def read_utterance(
    parser: Parser, utterance: Utterance, shown: tuple[str, ...]
) -> tuple[Meaning, list[float]]:
    """What a conversation comes to after its last turn, and the seconds of each turn."""
    memory = Memory(focus=utterance.focus)
    seconds: list[float] = []
    turn = None
    for text in utterance.say:
        started = time.perf_counter()
        turn = parser.read(text, memory.context(shown))
        seconds.append(time.perf_counter() - started)
        memory = memory.after(turn)
    assert turn is not None
    question, unclear = turn.question, turn.unclear
    held = memory.wishes.current
    return Meaning(
        intent=turn.intent,
        refinement=held.model_copy(update={"reset": turn.refinement.reset}),
        ask=question.kind if question and not question.missing else None,
        about=question.items if question else (),
        options=tuple(option.value for option in unclear.options) if unclear else (),
    ), seconds


def latency(seconds: Sequence[float]) -> Latency:
    """Median and 95th percentile."""
    p50, p95 = np.percentile(np.array(seconds), [50, 95]) * 1000.0
    return Latency(n=len(seconds), p50_ms=float(p50), p95_ms=float(p95))
