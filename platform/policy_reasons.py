"""Of what moved a policy's weights, what concerns the items of one slate."""

import numpy as np

from ..agents.interpret.influence import Weigh
from ..agents.interpret.local import DEPTH, places
from ..agents.interpret.sentence import Reasoner
from ..arrays import FloatArray, IntArray
from ..explain.sanitise import clean_name
from ..rerankers.context import PoolContext
from ..rerankers.policy_reason import PolicyReason
from ..rerankers.state import ObservedState


def item_reasons(
    reasoner: Reasoner,
    weigh: Weigh,
    seen: FloatArray,
    weights: FloatArray,
    context: PoolContext,
    state: ObservedState,
    shown: IntArray,
) -> tuple[PolicyReason | None, ...]:
    """Per shown item the slate's reason with the places it gained; None where it gained none.

    Args:
        reasoner: Knows what the policy usually sees.
        weigh: From observations to weights as they were given, offsets and wish included.
        seen: What the policy saw, shape ``(O,)``.
        weights: What it gave, shape ``(A,)``.
        context: The user's pool.
        state: The user's state.
        shown: Item indices of the slate, shape ``(k,)``.
    """
    found = reasoner.reason(seen, reasoner.aspects.loadings(context, state)[0], weigh)
    if found is None:
        return (None,) * len(shown)
    columns = (context.items[0] == shown[:, None]).argmax(axis=1)
    here, without = places(context, state, np.stack([weights, found.without]), columns)
    followed, reason = min(DEPTH, int(context.n_valid[0])), _printable(found.reason)
    return tuple(
        reason.model_copy(update={"places": int(gain), "exact": bool(place <= followed)})
        if gain > 0
        else None
        for gain, place in zip(without - here, without, strict=True)
    )


def _printable(reason: PolicyReason) -> PolicyReason:
    """With names that can't change a text's structure."""
    return reason.model_copy(
        update={
            "topic": reason.topic and clean_name(reason.topic),
            "group": reason.group and clean_name(reason.group),
        }
    )
