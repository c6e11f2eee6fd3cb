"""EASE candidates of MovieLens-100K, which most benchmarks stand on."""

from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.fit import fit_candidates
from fairloop.candidates.groups import movielens_groups
from fairloop.candidates.read import movielens_100k


def movielens_ease(seed: int) -> CandidateSet:
    """Fit with the default settings; takes seconds."""
    return fit_candidates(movielens_100k(), CandidateConfig(seed=seed), movielens_groups())
