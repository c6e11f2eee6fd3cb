"""All tables in one place, for migrations and the store."""

from .audits import Audit
from .base import Base
from .conversations import Conversation, Message
from .events import Event
from .explanations import Explanation
from .gate_verdicts import GateVerdict
from .model_versions import ModelVersion
from .people_items import Item, User
from .recommendations import Recommendation, RecommendationItem

metadata = Base.metadata

__all__ = [
    "Audit",
    "Conversation",
    "Event",
    "Explanation",
    "GateVerdict",
    "Item",
    "Message",
    "ModelVersion",
    "Recommendation",
    "RecommendationItem",
    "User",
    "metadata",
]
