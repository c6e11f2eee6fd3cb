"""How the phrases of a language are listed.

``PHRASES`` holds pairs of a regular expression of whole words and its English. They are put in
place one after the other, so longer ones stand before the shorter ones that they hold. ``IDLE``
are words that carry no wish.
"""

Phrases = tuple[tuple[str, str], ...]
