"""Utterances with gold refinements, and how a parser is scored on them."""
