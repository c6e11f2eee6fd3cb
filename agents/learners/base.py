"""What a learner is: tuned weights in, a better policy for the same users and limits out.

Every learner starts *at* the tuned weights, is priced by the same multipliers and keeps to a budget
in steps of the simulator, so that what they reach can be compared.
"""

from typing import Any, Protocol, get_args

from pydantic import TypeAdapter, ValidationError

from ...arrays import FloatArray
from ...errors import InvalidValue
from ..outcomes import Arena, MakePolicy
from ..train import Learned, Progress
from .config import AnySettings, LearnerSettings


class Learner(Protocol):
    """Improves on tuned weights by acting on training users."""

    @property
    def name(self) -> str:
        """Name in the registry and in tables."""
        ...

    @property
    def settings(self) -> LearnerSettings:
        """Budget and settings."""
        ...

    def learn(
        self,
        arena: Arena,
        start: FloatArray,
        units: FloatArray,
        margins: FloatArray,
        seed: int,
        progress: Progress | None = None,
    ) -> Learned:
        """Learn; equal arguments give equal policies.

        Args:
            arena: The training users and the limits.
            start: Tuned weights, shape ``(A,)``; the policy begins as exactly these.
            units: Weight that moves the score by one standard deviation, shape ``(A,)``, > 0.
            margins: Aimed at above each target, shape ``(C,)``.
            seed: Root of the networks' start, the exploration and the users' luck.
            progress: Called with user-steps done and in all.

        Raises:
            InvalidValue: Weights, units or margins of another shape than the constraints ask for.
        """
        ...

    def serve(self, learned: Learned) -> MakePolicy:
        """Makes the slate policy of what was learned, its controller included."""
        ...


def learner_names() -> tuple[str, ...]:
    """Names of all learners."""
    return tuple(member.model_fields["learner"].default for member in _members())


def make_learner(name: str, **settings: Any) -> Learner:
    """A learner by name.

    Args:
        name: One of `learner_names`.
        settings: Fields of its settings that differ from their defaults.

    Raises:
        InvalidValue: There is no such learner, or a setting it does not have or cannot take.
    """
    try:
        return _ADAPTER.validate_python({"learner": name, **settings}).make()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise InvalidValue(
            first["msg"],
            field=f"learner.{where}" if where else "learner",
            mend=f"The learners are {', '.join(learner_names())}.",
        ) from error


_ADAPTER: TypeAdapter[Any] = TypeAdapter(AnySettings)


def _members() -> tuple[Any, ...]:
    union, *_ = get_args(AnySettings)
    return get_args(union)
