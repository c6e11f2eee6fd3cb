"""Fairloop: recommendations measured for quality and exposure over time, with reasons on record.

RecBole models propose candidates; a re-ranker trained by reinforcement learning in a user
simulator orders them for long-term engagement, inside diversity and exposure constraints; a
language model words an explanation that is checked against stored evidence; SQL keeps every
decision for audit.
"""

__version__ = "0.1.0"
