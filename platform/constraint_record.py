"""The controller's memory, kept in the recommendations themselves.

Each recorded slate holds what it measured and the controller's integral after it. The window of
recent measurements is therefore the last rows of the table, and needs no copy of its own.
"""

import json
from typing import Any

from sqlalchemy.orm import Session

from ..arrays import FloatArray
from ..errors import InvalidValue
from ..rerankers.constraints import Constraints
from ..rerankers.controller import ConstraintController, ControllerState
from .store.recommendations import latest_states


def constraint_state(
    constraints: Constraints,
    after: ControllerState,
    gaps: FloatArray,
    measured: FloatArray,
) -> dict[str, Any]:
    """What one row of the record says of the limits.

    Args:
        constraints: The limits in force.
        after: The controller after this slate.
        gaps: Mean over the window minus target as it stood before this slate, shape ``(C,)``.
        measured: What this slate measured, shape ``(C,)``.
    """
    return {
        "constraints": constraints.model_dump(mode="json"),
        "keys": list(after.keys),
        "targets": list(after.targets),
        "gaps": gaps.tolist(),
        "measured": measured.tolist(),
        "integral": after.integral,
    }


def restore_controller(
    session: Session, controller: ConstraintController, policy_version: str, window: int
) -> None:
    """Continue where the recorded slates of a policy version left off, if there are any.

    Slates that were recorded under other limits are not counted.
    """
    states = latest_states(session, policy_version, window)
    fresh = controller.state()
    same = [
        state
        for state in states
        if tuple(state["keys"]) == fresh.keys and tuple(state["targets"]) == fresh.targets
    ]
    if not same:
        return
    recent = [[row["measured"][entry] for row in same] for entry in range(len(fresh.keys))]
    saved = fresh.model_copy(update={"integral": same[-1]["integral"], "recent": recent})
    try:
        controller.restore(json.dumps(saved.model_dump(mode="json")))
    except InvalidValue as error:
        raise InvalidValue(
            f"the recorded state of {policy_version!r} cannot be read: {error.message}",
            field="constraint_state",
            mend="Restore the database from a copy.",
        ) from error
