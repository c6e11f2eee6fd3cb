"""Conversations of many users: are hard wishes honoured, and do the limits on exposure hold?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...candidates.candidate_set import CandidateSet
from ...candidates.catalogue import Catalogue
from ...errors import InvalidValue
from ...explain.refinement import Refinement, Wishes
from ...explain.understanding.memory import Memory
from ...explain.understanding.parser import Parser
from ...explain.utterances.load import Utterance
from ..ordering import Orderer
from .conversation_report import Honoured, LimitLevels, Population
from .conversation_slates import MadeSlate, SlateMaker

TURNS = 3
"""Utterances that each user says, one after the other."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn of one user: what was meant and understood so far, whether it was adopted."""

    user: int
    meant: Refinement
    understood: Refinement
    adopted: bool


def simulate_population(
    candidates: CandidateSet,
    parser: Parser,
    utterances: Sequence[Utterance],
    base: Orderer,
    served: Orderer,
    n_users: int,
    k: int,
    seed: np.random.SeedSequence,
    progress: Callable[[int, int], None],
) -> tuple[Population, list[float]]:
    """Have users say random utterances of the set, and measure every list.

    The same conversations are held four times: by the base order and by what serves, without the
    wishes and with them. What serves has served every user before, so that its controller has
    settled. A turn whose wishes leave too few candidates is refused, as it is where it is served.

    Args:
        candidates: What is ranked.
        parser: What reads.
        utterances: The set; those of one turn that end in a wish are drawn from.
        base: The base model's order.
        served: What serves.
        n_users: Users, drawn without replacement from those with a full pool.
        k: Length of the lists.
        seed: Root of the choices.
        progress: Told how many users are done.

    Returns:
        The figures, and the seconds of each ranking by what serves.
    """
    drawing, ranking = (np.random.default_rng(part) for part in seed.spawn(2))
    full = candidates.pools().users
    users = drawing.permutation(full)[:n_users]
    sayings = [
        one for one in utterances if len(one.say) == 1 and one.gold.intent in ("refine", "feedback")
    ]
    limits = served.constraints
    makers = {
        "top_k": SlateMaker(candidates, base, limits),
        "served": SlateMaker(candidates, served, limits),
    }
    turns = [
        turn
        for user in users
        for turn in _conversation(candidates, parser, sayings, int(user), k, drawing)
    ]
    makers["served"].settle(ranking, k)
    start = served.controller.to_json()
    made: dict[str, list[MadeSlate]] = {}
    for name, maker in makers.items():
        for wishes in (False, True):
            maker.orderer.controller.restore(
                start if name == "served" else base.controller.to_json()
            )
            slates: list[MadeSlate] = []
            for number, turn in enumerate(turns):
                wished = turn.understood if wishes else Refinement()
                slates.append(maker.make(turn.user, wished, k, ranking, moves=name == "served"))
                if name == "served" and wishes:
                    progress(number + 1, len(turns))
            made[f"{name}{'_with_wishes' if wishes else ''}"] = slates
    wished = [slate for name, slates in made.items() if name.endswith("wishes") for slate in slates]
    return Population(
        users=len(users),
        turns=len(turns),
        served_by=served.version,
        honoured=_honoured(candidates.catalogue, turns, wished),
        limits=_levels(made, limits.names, [one.least for one in limits.exposure])
        + _levels(made, ("diversity",), [limits.min_diversity], first=len(limits.names)),
    ), makers["served"].seconds


def _conversation(
    candidates: CandidateSet,
    parser: Parser,
    sayings: Sequence[Utterance],
    user: int,
    k: int,
    rng: np.random.Generator,
) -> list[_Turn]:
    """What one user means and what is understood, turn by turn; refused turns change nothing."""
    memory, meant, turns = Memory(), Wishes(), list[_Turn]()
    pool = candidates.pools(np.array([user])).items[0]
    for place in rng.choice(len(sayings), TURNS, replace=False):
        saying = sayings[place]
        after = memory.after(parser.read(saying.say[0], memory.context(())))
        left = sum(
            not breaks(candidates.catalogue, int(item), after.wishes.current) for item in pool
        )
        adopted = left >= k
        if adopted:
            memory, meant = after, meant.add(saying.gold.refinement)
        turns.append(_Turn(user, meant.current, memory.wishes.current, adopted))
    return turns


def breaks(catalogue: Catalogue, item: int, wishes: Refinement) -> bool:
    """Whether an item breaks a hard wish, told by plain comparisons; not the code that filters."""
    topics = {
        name for name, has in zip(catalogue.topic_names, catalogue.topics[item], strict=True) if has
    }
    year, key = float(catalogue.year[item]), str(catalogue.item_ids[item])
    if key in wishes.exclude_items or key in wishes.dislike_items:
        return True
    if topics.intersection(wishes.exclude_topics):
        return True
    if wishes.include_topics and not topics.intersection(wishes.include_topics):
        return True
    if wishes.min_year is not None and not year >= wishes.min_year:
        return True
    return wishes.max_year is not None and not year <= wishes.max_year


def _honoured(
    catalogue: Catalogue, turns: Sequence[_Turn], slates: Sequence[MadeSlate]
) -> Honoured:
    """Both orders' lists, checked one item after the other."""
    violations, as_meant = 0, 0
    for slate, turn in zip(slates, [*turns, *turns], strict=True):
        violations += sum(breaks(catalogue, int(i), turn.understood) for i in slate.items)
        as_meant += not any(breaks(catalogue, int(i), turn.meant) for i in slate.items)
    return Honoured(
        slates=len(slates),
        violations=violations,
        refused=sum(not turn.adopted for turn in turns),
        as_meant=as_meant / len(slates),
    )


def _levels(
    made: dict[str, list[MadeSlate]],
    names: Sequence[str],
    targets: Sequence[float | None],
    first: int = 0,
) -> tuple[LimitLevels, ...]:
    found: list[LimitLevels] = []
    for column, (name, target) in enumerate(zip(names, targets, strict=True), start=first):
        mean = {
            kind: float(np.mean([slate.measured[column] for slate in slates]))
            for kind, slates in made.items()
        }
        wished = made["served_with_wishes"]
        short = [
            column < len(slate.most) and target is not None and slate.most[column] < target
            for slate in wished
        ]
        found.append(
            LimitLevels(
                limit=name,
                target=target,
                met=None if target is None else mean["served_with_wishes"] >= target,
                out_of_reach=float(np.mean(short)),
                **mean,
            )
        )
    return tuple(found)


def require_users(n_users: int, available: int) -> None:
    """Refuse more users than there are.

    Raises:
        InvalidValue: There are fewer.
    """
    if not 1 <= n_users <= available:
        raise InvalidValue(
            f"{n_users} users asked for, {available} have full pools",
            field="users",
            mend=f"Use 1 to {available}.",
        )
