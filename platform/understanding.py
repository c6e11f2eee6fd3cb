"""The parser of what serves: by rules, and by meaning where a model is configured."""

import threading
from typing import TYPE_CHECKING

from ..explain.understanding.parser import Parser
from .encoding import sentence_encoder
from .llm import EMBEDDED_NAME

if TYPE_CHECKING:
    from .recommender import Recommender

_KEPT = 4
_parsers: dict[tuple[int, int], tuple[Parser, object]] = {}
_lock = threading.Lock()


def parser_for(recommender: "Recommender") -> Parser:
    """The parser of a recommender's catalogue, built once; the last four are kept.

    Phrases are compared by meaning where the settings name a model and the encoder is installed;
    with ``FAIRLOOP_MODEL_KIND=none`` rules alone read. A model on a server reads what is then still
    not understood; the embedded one is too small for that (see ``model_reader``).
    """
    catalogue = recommender.catalogue
    model = recommender.explainer.model
    with _lock:
        held = _parsers.get((id(catalogue), id(model)))
        if held is None:
            large = model if model is not None and model.name != EMBEDDED_NAME else None
            parser = Parser(catalogue, sentence_encoder() if model is not None else None, large)
            while len(_parsers) >= _KEPT:
                _parsers.pop(next(iter(_parsers)))
            # It keeps catalogue and model, so that their ids stay their own.
            held = _parsers[id(catalogue), id(model)] = (parser, model)
    return held[0]
