"""The whole account of a policy: simulate, share variance out, draw curves, explain examples."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from ...arrays import FloatArray, IntArray
from ...rerankers.policy_reason import sentence
from ..outcomes import Arena
from ..policy import WeightPolicy
from ..serving import policy_slates
from .curves import curve
from .groups import Group, groups_read
from .influence import Effects, group_effects
from .local import places, rank_moves
from .report import (
    ColumnCurve,
    Example,
    GroupEffect,
    InterpretationReport,
    InterpretConfig,
    ItemMove,
    WeightInfluence,
)
from .sample import Sample, observe_policy
from .sentence import Found, Reasoner
from .strengths import Aspects

HISTOGRAM_STEPS = 24


def interpret(
    policy: WeightPolicy,
    arena: Arena,
    seed: int = 0,
    config: InterpretConfig | None = None,
    version: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> InterpretationReport:
    """Find out which state moves which weight.

    Args:
        policy: As it serves.
        arena: Simulated users under the policy's own constraints, usually held-out ones.
        seed: Root of the simulation and of all draws.
        config: How much to look at.
        version: Of the policy, for the report.
        progress: Called with steps done and in all.

    Raises:
        InvalidValue: The arena has other constraints than the policy.
        EmptyData: It has fewer than four users.
    """
    config = config or InterpretConfig()
    done = _Steps(progress)
    simulated, drawn = np.random.SeedSequence(seed).spawn(2)
    sample = observe_policy(policy, arena, int(simulated.generate_state(1)[0]), config.users)
    done.one_more()
    rng_effects, rng_apart, rng_curves, rng_local = map(np.random.default_rng, drawn.spawn(4))
    groups = groups_read(policy)
    observed = _effects(policy, sample, groups, config, rng_effects, independent=False)
    done.one_more()
    apart = _effects(policy, sample, groups, config, rng_apart, independent=True)
    done.one_more()
    curves = _curves(policy, sample, groups, config, rng_curves)
    done.one_more()
    reasoner = Reasoner(policy, reference_of(sample, config.reference, seed), config.said_from)
    told = _search(reasoner, sample, config.requests, rng_local)
    strongest = sorted(told, key=lambda pair: -pair[1].reason.size)[: config.examples]
    done.one_more()
    read = {int(column) for group in groups for column in group.columns}
    names = policy.observation_names
    n_searched = min(config.requests, len(sample))
    report = InterpretationReport(
        policy=version,
        seed=seed,
        n_users=len(np.unique(sample.users)),
        n_visits=len(sample),
        slate_size=arena.world.config.slate_size,
        config=config,
        groups={g.name: tuple(names[c] for c in g.columns) for g in groups},
        unread=tuple(name for c, name in enumerate(names) if c not in read),
        weights=_weights(policy, sample, groups, observed, apart),
        curves=curves,
        told=len(told) / n_searched if n_searched else None,
        told_by_state=dict(Counter(found.reason.state for _, found in told)),
        examples=tuple(_example(reasoner, sample, row, found) for row, found in strongest),
    )
    done.one_more()
    return report


class _Steps:
    """Counts the steps of an interpretation for whoever watches."""

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self._progress, self._done = progress, 0

    def one_more(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, STEPS)


STEPS = 6


def reference_of(sample: Sample, n: int, seed: int = 0) -> FloatArray:
    """Observations of at most ``n`` visits drawn from a sample: what is usual, shape ``(M, O)``."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(sample), min(n, len(sample)), replace=False)
    return sample.observation[np.sort(rows)]


def _effects(
    policy: WeightPolicy,
    sample: Sample,
    groups: tuple[Group, ...],
    config: InterpretConfig,
    rng: np.random.Generator,
    *,
    independent: bool,
) -> Effects:
    return group_effects(
        policy.weights,
        sample.observation,
        sample.users,
        groups,
        rng,
        pairs=config.pairs,
        folds=config.folds,
        independent=independent,
    )


def _weights(
    policy: WeightPolicy,
    sample: Sample,
    groups: tuple[Group, ...],
    observed: Effects,
    apart: Effects,
) -> tuple[WeightInfluence, ...]:
    weights = policy.weights(sample.observation).astype(np.float64)
    sd = np.sqrt(observed.variance)
    moves = sd * score_units(policy, sample)
    return tuple(
        WeightInfluence(
            weight=name,
            mean=float(weights[:, i].mean()),
            sd=float(sd[i]),
            sd_independent=float(np.sqrt(apart.variance[i])),
            moves=float(moves[i]),
            effects=tuple(
                GroupEffect(
                    group=group.name,
                    first_order=float(observed.first_order[g, i]),
                    total=float(observed.total[g, i]),
                    shapley=float(observed.shapley[g, i]),
                    error=float(observed.error[g, i]),
                )
                for g, group in enumerate(groups)
                if sd[i] > 0
            ),
        )
        for i, name in enumerate(policy.action_names)
    )


def score_units(policy: WeightPolicy, sample: Sample, n: int = 300) -> FloatArray:
    """What one unit of each weight is in standard deviations of score, on average, ``(A,)``.

    Over ``n`` visits spread evenly over the sample: see `strengths`.
    """
    rows = np.unique(np.linspace(0, len(sample) - 1, n).round().astype(np.intp))
    aspects = Aspects.of(policy.action_names)
    context = sample.arena.context.take(sample.rows[rows])
    loadings = aspects.loadings(context, sample.state.take(rows))
    amounts = aspects.amounts(policy.weights(sample.observation[rows]), loadings)
    length = np.linalg.norm(amounts, axis=1)
    return np.abs(loadings).mean(axis=0) / max(float(length.mean()), 1e-12)


def _curves(
    policy: WeightPolicy,
    sample: Sample,
    groups: tuple[Group, ...],
    config: InterpretConfig,
    rng: np.random.Generator,
) -> tuple[ColumnCurve, ...]:
    """Of single columns all, of larger groups the column that moves the weights most."""
    rows = rng.choice(len(sample), min(config.curve_visits, len(sample)), replace=False)
    seen = sample.observation[rows]
    units = score_units(policy, sample)
    columns = [_strongest(policy, seen, group.columns, units, rng) for group in groups]
    return tuple(_curve(policy, seen, column, config.bins) for column in columns)


def _strongest(
    policy: WeightPolicy,
    seen: FloatArray,
    columns: IntArray,
    units: FloatArray,
    rng: np.random.Generator,
) -> int:
    """The column whose exchange between visits moves the weights most, in units of score."""
    if len(columns) == 1:
        return int(columns[0])
    base, partner = policy.weights(seen), rng.permutation(len(seen))
    moved = np.zeros(len(columns))
    for i, column in enumerate(columns):
        swapped = seen.copy()
        swapped[:, column] = seen[partner, column]
        moved[i] = (((policy.weights(swapped) - base) * units) ** 2).sum()
    return int(columns[int(np.argmax(moved))])


def _curve(policy: WeightPolicy, seen: FloatArray, column: int, bins: int) -> ColumnCurve:
    found = curve(policy.weights, seen, column, bins)
    name, values = policy.observation_names[column], seen[:, column].astype(np.float64)
    at = found.at.astype(np.float64)
    if name.startswith("log_"):
        at, values = np.expm1(at), np.expm1(values)
    return ColumnCurve(
        column=name,
        at=tuple(at.tolist()),
        count=tuple(int(c) for c in found.count),
        histogram=tuple(int(c) for c in np.histogram(values, HISTOGRAM_STEPS)[0]),
        ale={n: tuple(v.tolist()) for n, v in zip(policy.action_names, found.ale.T, strict=True)},
        partial={
            n: tuple(v.tolist()) for n, v in zip(policy.action_names, found.partial.T, strict=True)
        },
    )


def _search(
    reasoner: Reasoner, sample: Sample, n: int, rng: np.random.Generator
) -> list[tuple[int, Found]]:
    """Of ``n`` visits drawn at random, those of which something may be told."""
    rows = np.sort(rng.choice(len(sample), min(n, len(sample)), replace=False))
    found: list[tuple[int, Found]] = []
    for row in rows:
        context, state = sample.request(int(row))
        loadings = reasoner.aspects.loadings(context, state)[0]
        one = reasoner.reason(sample.observation[row], loadings)
        if one is not None:
            found.append((int(row), one))
    return found


def _example(reasoner: Reasoner, sample: Sample, row: int, found: Found) -> Example:
    context, state = sample.request(row)
    seen = sample.observation[row]
    told = reasoner.attribution(seen, reasoner.aspects.loadings(context, state)[0])
    groups = [group.name for group in reasoner.groups]
    own = told.weights[-1:].astype(np.float32)
    columns = policy_slates(context, state, own, sample.arena.world.config.slate_size)[0]
    usual, here = places(context, state, told.weights[[0, -1]], columns)
    moves = rank_moves(told, context, state, columns)
    text = sentence(found.reason)
    assert text is not None  # a reason is found only with words for it
    items = sample.arena.world.catalogue.item_ids[context.items[0, columns]]
    return Example(
        user=int(sample.users[row]),
        visit=int(sample.visits[row]),
        sentence=text,
        reason=found.reason,
        weights={
            name: {"here": float(told.weights[-1, a]), "usual": float(told.weights[0, a])}
            | dict(zip(groups, told.by_weight[:, a].tolist(), strict=True))
            for a, name in enumerate(reasoner.policy.action_names)
        },
        items=tuple(
            ItemMove(
                item_id=str(item),
                usual=int(usual[i]),
                place=int(here[i]),
                groups=dict(zip(groups, moves[:, i].tolist(), strict=True)),
            )
            for i, item in enumerate(items)
        ),
    )
