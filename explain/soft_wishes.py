"""Soft wishes as shifts of standardised scores."""

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.catalogue import Catalogue
from .refinement import Refinement

TOPIC_SHIFT = 1.0
"""Standard deviations that a preferred topic is worth; an avoided one costs as much."""

LIKENESS_SHIFT = 1.5
"""Standard deviations that full likeness to a named item is worth."""

POPULARITY_SHIFT = 1.5
"""Standard deviations of score per standard deviation of log popularity.

Candidates are all rather popular, so that they differ by less than one: with 1.5 "less popular"
replaces about as many items of a list of ten as a wish for more or less of a frequent topic (two).
"""


def soft_scores(
    refinement: Refinement, catalogue: Catalogue, item_embeddings: FloatArray | None = None
) -> FloatArray:
    """What the soft wishes add to each item's score, in standard deviations of a pool's scores.

    Args:
        refinement: The wishes.
        catalogue: The items.
        item_embeddings: Shape ``(I, D)``; likeness is their cosine where they are given, else the
            Jaccard similarity of topics.

    Returns:
        Shape ``(I,)``.
    """
    shift = np.zeros(catalogue.n_items)
    column = {name: place for place, name in enumerate(catalogue.topic_names)}
    for names, sign in ((refinement.prefer_topics, 1.0), (refinement.avoid_topics, -1.0)):
        for name in names:
            if name in column:
                shift += sign * TOPIC_SHIFT * catalogue.topics[:, column[name]]
    for ids, sign in ((refinement.like_items, 1.0), (refinement.dislike_items, -1.0)):
        named = np.flatnonzero(np.isin(catalogue.item_ids, ids))
        if len(named):
            shift += sign * LIKENESS_SHIFT * _likeness(catalogue, named, item_embeddings)
    if refinement.popularity is not None:
        sign = 1.0 if refinement.popularity == "more" else -1.0
        shift += sign * POPULARITY_SHIFT * _standardised(np.log1p(catalogue.popularity))
    return shift


def _likeness(catalogue: Catalogue, named: IntArray, embeddings: FloatArray | None) -> FloatArray:
    """Largest likeness of each item to one of the named ones, in [0, 1], shape ``(I,)``."""
    if embeddings is not None:
        norms = np.linalg.norm(embeddings, axis=1)
        unit = embeddings / np.where(norms > 0, norms, 1.0)[:, None]
        return np.maximum((unit @ unit[named].T).max(axis=1), 0.0)
    topics = catalogue.topics.astype(np.float64)
    common = topics @ topics[named].T
    either = topics.sum(axis=1)[:, None] + topics[named].sum(axis=1)[None, :] - common
    return np.divide(common, either, out=np.zeros_like(common), where=either > 0).max(axis=1)


def _standardised(values: FloatArray) -> FloatArray:
    deviation = float(values.std())
    return (values - values.mean()) / (deviation if deviation > 0 else 1.0)
