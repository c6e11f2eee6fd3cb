"""Answers that were given before, the least recently used of them forgotten first."""

import threading
from collections import OrderedDict

Key = tuple[str, str]
"""Hash of the prompt, and the parameters as text."""


class AnswerCache:
    """A bounded cache of one model's answers. Safe to share between threads.

    The prompt of an explanation is made of evidence, style, language and prompt version and of
    nothing else, and its seed of the evidence's hash: equal evidence gives an equal key, for
    whichever user. Only whole answers are kept; one that the check refused is taken out again.

    Args:
        size: Most answers; 0 keeps none.
    """

    def __init__(self, size: int = 1024) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._answers: OrderedDict[Key, str] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: Key) -> str | None:
        """The answer, if it is known."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None:
                self.misses += 1
                return None
            self.hits += 1
            self._answers.move_to_end(key)
            return answer

    def put(self, key: Key, answer: str) -> None:
        """Keep an answer."""
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > self.size:
                self._answers.popitem(last=False)

    def forget(self, prompt_hash: str) -> None:
        """Drop every answer to a prompt."""
        with self._lock:
            for key in [key for key in self._answers if key[0] == prompt_hash]:
                del self._answers[key]
