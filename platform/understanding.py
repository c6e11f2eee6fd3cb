"""The parser of what serves: by rules, and by meaning where a model is configured."""

import threading
from typing import TYPE_CHECKING

from ..explain.understanding.parser import Parser
from .encoding import sentence_encoder

if TYPE_CHECKING:
    from .recommender import Recommender

_KEPT = 4
_parsers: dict[tuple[int, bool], Parser] = {}
_lock = threading.Lock()


def parser_for(recommender: "Recommender") -> Parser:
    """The parser of a recommender's catalogue, built once; the last four are kept.

    Phrases are compared by meaning where the settings name a model and the encoder is installed;
    with ``FAIRLOOP_MODEL_KIND=none`` rules alone read.
    """
    catalogue = recommender.catalogue
    meaning = recommender.explainer.model is not None
    with _lock:
        held = _parsers.get((id(catalogue), meaning))
        if held is None:
            held = Parser(catalogue, sentence_encoder() if meaning else None)
            while len(_parsers) >= _KEPT:
                _parsers.pop(next(iter(_parsers)))
            _parsers[id(catalogue), meaning] = held  # keeps the catalogue, so its id stays its own
    return held
