"""A simulated person who looks for one item, and knows of it what one may remember.

The person knows the target's topics, its decade, and whether it is well known; never its title
(told the title, a simulated user makes any system look good: Zhu et al. 2024, "How Reliable is
Your Simulator?", arXiv 2403.16416). Each turn they say one thing that they have not said yet, and
read the list: they leave when they recognise the target in it. What they say goes through the
parser like everybody's words.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...candidates.candidate_set import CandidateSet
from ...candidates.catalogue import Catalogue
from ...explain.understanding.memory import Memory
from ...explain.understanding.parser import Parser
from ...explain.wording import POPULAR_FROM
from .conversation_population import breaks
from .conversation_report import SimulatedUser, UserTurn
from .conversation_slates import SlateMaker

MOST_WISHES = 5
"""Wishes that a person says before they give up."""

RECALL_AT = (1, 10, 50)

_TOPIC = ("I am looking for {} films", "something in the {} genre", "{} please", "show me {}")
_MORE = ("more {}", "I like {}", "preferably {}")
_NOT = ("no {}", "I don't want {}", "without {}")
_DECADE = ("from the {}s", "films of the {}s", "something from the {}s")
_KNOWN = ("a well known one", "popular films")
_UNKNOWN = ("less popular ones", "something less known")


@dataclass(frozen=True, slots=True)
class Seeker:
    """A person, by user index, and the index of what they look for."""

    user: int
    target: int


def draw_seekers(
    candidates: CandidateSet, n: int, rng: np.random.Generator
) -> tuple[list[Seeker], float]:
    """People and targets out of the held-out items that are candidates of their user.

    Returns:
        At most ``n`` of them, and the share of held-out items that are candidates at all.
    """
    full = candidates.pools().users
    held = [(int(user), int(item)) for user in full for item in candidates.heldout.items_of(user)]
    found = [(user, item) for user, item in held if item in candidates.items[user]]
    chosen = rng.permutation(len(found))[:n]
    return [Seeker(*found[place]) for place in chosen], len(found) / max(1, len(held))


def things_to_say(
    catalogue: Catalogue, target: int, rng: np.random.Generator
) -> Iterator[Callable[[np.ndarray], str | None]]:
    """What a person may say of their target, in random order.

    Each is a function of the list before them that gives the words, or None where there is nothing
    to say of that list.
    """
    topics = [str(name) for name in np.array(catalogue.topic_names)[catalogue.topics[target]]]
    year, known = float(catalogue.year[target]), _percentile(catalogue, target)
    first, *others = rng.permutation(topics).tolist() if topics else [None]

    def of(forms: tuple[str, ...], value: object) -> str:
        return forms[int(rng.integers(len(forms)))].format(value)

    def not_like(shown: np.ndarray) -> str | None:
        """The topic that is most frequent in the list and not the target's."""
        counts = catalogue.topics[shown].sum(axis=0) * ~catalogue.topics[target]
        return of(_NOT, catalogue.topic_names[int(counts.argmax())]) if counts.max() else None

    things: list[Callable[[np.ndarray], str | None]] = [not_like, not_like]
    if first is not None:
        things.append(lambda _: of(_TOPIC, first))
    things += [lambda _, topic=topic: of(_MORE, topic) for topic in others]
    if np.isfinite(year):
        things.append(lambda _: of(_DECADE, f"{int(year) // 10 * 10}"))
    if known >= POPULAR_FROM:
        things.append(lambda _: of(_KNOWN, ""))
    elif known < 50.0:
        things.append(lambda _: of(_UNKNOWN, ""))
    for place in rng.permutation(len(things)):
        yield things[place]


def simulate_users(
    candidates: CandidateSet,
    parser: Parser,
    maker: SlateMaker,
    n: int,
    k: int,
    seed: np.random.SeedSequence,
) -> SimulatedUser:
    """Let people look for their targets; the same people for every maker of one seed."""
    draw, *luck = seed.spawn(n + 1)
    seekers, reachable = draw_seekers(candidates, n, np.random.default_rng(draw))
    deepest = min(max(RECALL_AT), candidates.top_n)
    ranks = np.array(
        [
            _look_for(candidates, parser, maker, seeker, k, deepest, np.random.default_rng(own))
            for seeker, own in zip(seekers, luck, strict=False)
        ]
    )
    found = (ranks <= k) & (ranks > 0)
    won = found.any(axis=1)
    first = found.argmax(axis=1)
    return SimulatedUser(
        people=len(seekers),
        served_by=maker.orderer.version,
        k=k,
        reachable=reachable,
        success=float(won.mean()),
        turns_to_success=float(first[won].mean()) if won.any() else float("nan"),
        by_turn=tuple(
            UserTurn(
                turn=turn,
                recall={
                    str(at): float(((ranks[:, turn] <= at) & (ranks[:, turn] > 0)).mean())
                    for at in RECALL_AT
                },
            )
            for turn in range(MOST_WISHES + 1)
        ),
        lost=float((ranks[:, -1] == _LOST).mean()),
    )


_LOST = -1
_DEEP = 10**6


def _look_for(
    candidates: CandidateSet,
    parser: Parser,
    maker: SlateMaker,
    seeker: Seeker,
    k: int,
    deepest: int,
    rng: np.random.Generator,
) -> list[int]:
    """Rank of the target after each wish; `_LOST` where wishes rule it out."""
    memory = Memory()
    rank, shown = _rank(maker, seeker, memory, deepest, rng)
    ranks, things = [rank], things_to_say(candidates.catalogue, seeker.target, rng)
    while len(ranks) <= MOST_WISHES:
        if 0 < ranks[-1] <= k or ranks[-1] == _LOST:
            ranks.append(ranks[-1])
            continue
        say = next(things, None)
        words = say(shown[:k]) if say is not None else None
        if words is not None:
            memory = _after(candidates, parser, memory, words, seeker.user, k)
            rank, shown = _rank(maker, seeker, memory, deepest, rng)
        ranks.append(rank)
    return ranks


def _after(
    candidates: CandidateSet, parser: Parser, memory: Memory, words: str, user: int, k: int
) -> Memory:
    """The memory after the words, unless they leave too little to fill a list."""
    after = memory.after(parser.read(words, memory.context(())))
    pool = candidates.pools(np.array([user])).items[0]
    wishes = after.wishes.current
    left = sum(not breaks(candidates.catalogue, int(item), wishes) for item in pool)
    return after if left >= k else memory


def _rank(
    maker: SlateMaker, seeker: Seeker, memory: Memory, deepest: int, rng: np.random.Generator
) -> tuple[int, np.ndarray]:
    """The target's place, `_DEEP` below the deepest, and the list."""
    wishes = memory.wishes.current
    catalogue = maker.candidates.catalogue
    pool = maker.candidates.pools(np.array([seeker.user])).items[0]
    length = sum(not breaks(catalogue, int(item), wishes) for item in pool)
    made = maker.make(seeker.user, wishes, min(deepest, length), rng, moves=False)
    place = np.flatnonzero(made.items == seeker.target)
    if len(place):
        return int(place[0]) + 1, made.items
    return (_LOST if breaks(catalogue, seeker.target, wishes) else _DEEP), made.items


def _percentile(catalogue: Catalogue, item: int) -> float:
    below = np.count_nonzero(catalogue.popularity < catalogue.popularity[item])
    return 100.0 * below / max(1, catalogue.n_items - 1)
