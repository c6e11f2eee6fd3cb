"""What an amortised re-ranker remembers: saved, restored, and merged across workers.

Workers that serve at once fork from one saved state, serve, and are merged again:

    base = controller.to_json()
    ...each worker restores it and serves...
    merged = merge([worker.state() for worker in workers], base)

What was counted is added up: ``merged = base + Σ (worker − base)``, so nothing the workers had in
common is counted twice. Sums are rounded once, at the end, so the order of the workers does not
matter to the last bit.
"""

from collections.abc import Sequence
from math import fsum
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...errors import InvalidValue

Vector = tuple[float, ...]
"""One number per group, in the order of the groups' names."""


class AmortisedState(BaseModel):
    """What every amortised re-ranker remembers.

    Attributes:
        algorithm: Whose state it is.
        attribute: Item attribute whose groups are watched.
        groups: Names of the groups.
        n_slates: Slates shown so far.
        exposure: Exposure that each group has received, in slates: every slate hands out 1 in
            all, position j in proportion to 1/log2(j + 1). Items of no group keep theirs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # Fields that say whose the state is; fields that add up in a merge (with `n_slates`); fields
    # about the latest block alone, which add up over the workers that served since the fork.
    identity: ClassVar[tuple[str, ...]] = ("algorithm", "attribute", "groups")
    summed: ClassVar[tuple[str, ...]] = ("exposure",)
    latest: ClassVar[tuple[str, ...]] = ()

    algorithm: str
    attribute: str
    groups: tuple[str, ...]
    n_slates: Annotated[int, Field(ge=0)] = 0
    exposure: Vector

    @model_validator(mode="after")
    def _one_number_per_group(self) -> Self:
        for name in (*self.summed, *self.latest):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != len(self.groups):
                raise ValueError(f"{name} holds {len(value)} numbers for {len(self.groups)} groups")
        return self

    def blank(self) -> Self:
        """The state of the same re-ranker before its first slate."""
        nothing = {name: _zero(getattr(self, name)) for name in (*self.summed, *self.latest)}
        return self.model_copy(update={"n_slates": 0, **nothing})

    def require_same(self, other: "AmortisedState") -> None:
        """Refuse a state that belongs to other groups, targets or another algorithm.

        Raises:
            InvalidValue: It does.
        """
        for name in self.identity:
            mine, theirs = getattr(self, name), getattr(other, name, None)
            if mine != theirs:
                raise InvalidValue(
                    f"a state for {name} {theirs!r}, expected {mine!r}",
                    field="state",
                    mend="Start anew when groups or targets change.",
                )


S = TypeVar("S", bound=AmortisedState)


def read_state(kind: type[S], text: str) -> S:
    """A state from its JSON.

    Raises:
        InvalidValue: The text is not such a state.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        where = "".join(f"{part} " for part in problem["loc"])
        raise InvalidValue(
            f"not a state of this re-ranker: {where}{problem['msg']}",
            field="state",
            mend="Use what to_json gave.",
        ) from error


def merge(workers: Sequence[S], base: S | None = None) -> S:
    """One state that has seen what all workers saw: ``base + Σ (worker − base)``.

    Commutative and associative (up to the rounding of intermediate results), with the base as
    neutral element: a worker that served nothing changes nothing, and one worker alone gives its
    own state back. What only concerns the latest block (such as the error a derivative is taken
    of) becomes the union of the workers' latest blocks.

    Args:
        workers: States of the workers, each restored from ``base`` before it served.
        base: The state they forked from; None where all of them started anew.

    Raises:
        InvalidValue: There is no state at all, one belongs to other groups or targets, or a
            worker holds fewer slates than the base.
    """
    if not workers and base is None:
        raise InvalidValue("no states to merge", field="workers", mend="Give at least one.")
    if base is None:
        base = workers[0].blank()
    for worker in workers:
        base.require_same(worker)
        if worker.n_slates < base.n_slates:
            raise InvalidValue(
                f"a worker holds {worker.n_slates} slates, its base {base.n_slates}",
                field="base",
                mend="Give the state that the workers were restored from.",
            )
    active = [worker for worker in workers if worker.n_slates > base.n_slates]
    if not active:
        return base
    names = ("n_slates", *base.summed)
    values = {
        name: _moved(getattr(base, name), [getattr(w, name) for w in active]) for name in names
    }
    values |= {name: _total([getattr(w, name) for w in active]) for name in base.latest}
    return base.model_copy(update=values)


def _zero(value: Any) -> Any:
    return (0.0,) * len(value) if isinstance(value, tuple) else 0


def _moved(base: Any, workers: list[Any]) -> Any:
    """``base + Σ (worker − base)``, entry by entry, rounded once."""
    if isinstance(base, tuple):
        return tuple(_moved(b, list(w)) for b, *w in zip(base, *workers, strict=True))
    if isinstance(base, int):
        return sum(workers) - base * (len(workers) - 1)
    return fsum([*workers, *[-base] * (len(workers) - 1)])


def _total(workers: list[Any]) -> Any:
    if isinstance(workers[0], tuple):
        return tuple(fsum(entry) for entry in zip(*workers, strict=True))
    return sum(workers)
