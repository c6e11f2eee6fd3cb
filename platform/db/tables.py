"""All tables in one place, for migrations and the store."""

from .audits import Audit
from .base import Base
from .conversation_wishes import ConversationWish
from .conversations import Conversation, Message
from .events import Event
from .explanations import Explanation
from .gate_verdicts import GateVerdict
from .model_calls import ModelCall, Prompt
from .model_versions import ModelVersion
from .people_items import Item, User
from .preferences import Consent, Erasure, Preferences
from .recommendations import Recommendation, RecommendationItem
from .tool_calls import ToolCall

metadata = Base.metadata

__all__ = [
    "Audit",
    "Consent",
    "Conversation",
    "ConversationWish",
    "Erasure",
    "Event",
    "Explanation",
    "GateVerdict",
    "Item",
    "Message",
    "ModelCall",
    "ModelVersion",
    "Preferences",
    "Prompt",
    "Recommendation",
    "RecommendationItem",
    "ToolCall",
    "User",
    "metadata",
]
