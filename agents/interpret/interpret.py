"""The whole account of a policy: simulate, share variance out, draw curves, explain examples."""

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
) -> InterpretationReport:
    """Find out which state moves which weight.

    Args:
        policy: As it serves.
        arena: Simulated users under the policy's own constraints, usually held-out ones.
        seed: Root of the simulation and of all draws.
        config: How much to look at.
        version: Of the policy, for the report.

    Raises:
        InvalidValue: The arena has other constraints than the policy.
        EmptyData: It has fewer than four users.
    """
    config = config or InterpretConfig()
    simulated, drawn = np.random.SeedSequence(seed).spawn(2)
    sample = observe_policy(policy, arena, int(simulated.generate_state(1)[0]), config.users)
    rng_effects, rng_apart, rng_curves, rng_local = map(np.random.default_rng, drawn.spawn(4))
    groups = groups_read(policy)
    observed, apart = (
        group_effects(
            policy.weights,
            sample.observation,
            sample.users,
            groups,
            rng,
            pairs=config.pairs,
            folds=config.folds,
            independent=independent,
        )
        for rng, independent in ((rng_effects, False), (rng_apart, True))
    )
    requests, found = _search(policy, sample, config, rng_local)
    told = [(row, one) for row, one in zip(requests, found, strict=True) if one is not None]
    by_state: dict[str, int] = {}
    for _, one in told:
        by_state[one.reason.state] = by_state.get(one.reason.state, 0) + 1
    strongest = sorted(told, key=lambda pair: -pair[1].reason.size)[: config.examples]
    reasoner = _reasoner(policy, sample, config)
    read = np.concatenate([g.columns for g in groups]) if groups else np.zeros(0, np.intp)
    names = policy.observation_names
    return InterpretationReport(
        policy=version,
        seed=seed,
        n_users=len(np.unique(sample.users)),
        n_visits=len(sample),
        slate_size=arena.world.config.slate_size,
        config=config,
        groups={g.name: tuple(names[c] for c in g.columns) for g in groups},
        unread=tuple(name for c, name in enumerate(names) if c not in read),
        weights=_weights(policy, sample, groups, observed, apart),
        curves=_curves(policy, sample, groups, config, rng_curves),
        told=len(told) / len(requests) if len(requests) else None,
        told_by_state=by_state,
        examples=tuple(_example(reasoner, sample, int(row), one) for row, one in strongest),
    )


def reference_of(sample: Sample, n: int, seed: int = 0) -> FloatArray:
    """Observations of at most ``n`` visits drawn from a sample: what is usual, shape ``(M, O)``."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(sample), min(n, len(sample)), replace=False)
    return sample.observation[np.sort(rows)]


def _reasoner(policy: WeightPolicy, sample: Sample, config: InterpretConfig) -> Reasoner:
    return Reasoner(policy, reference_of(sample, config.reference), config.said_from)


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
    moved = policy.weights(sample.observation[rows]) * loadings
    member = aspects.of_weight[:, None] == np.arange(len(aspects.names))
    length = np.linalg.norm(moved @ member.astype(np.float64), axis=1)
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
    policy: WeightPolicy, sample: Sample, config: InterpretConfig, rng: np.random.Generator
) -> tuple[IntArray, list[Found | None]]:
    """Some visits drawn at random, and what may be told of each."""
    n = min(config.requests, len(sample))
    rows = np.sort(rng.choice(len(sample), n, replace=False))
    if not n:
        return rows, []
    reasoner = _reasoner(policy, sample, config)
    context = sample.arena.context.take(sample.rows[rows])
    loadings = reasoner.aspects.loadings(context, sample.state.take(rows))
    return rows, [
        reasoner.reason(sample.observation[row], known)
        for row, known in zip(rows, loadings, strict=True)
    ]


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
