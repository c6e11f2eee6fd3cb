"""What the platform hands out: frozen records that turn into JSON as they are."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

EventKind = Literal["click", "rating", "like", "dislike", "seen", "skip"]
VersionKind = Literal["candidates", "policy"]
VersionStatus = Literal["accepted", "refused", "builtin"]
PublicId = Annotated[str, Field(min_length=1, max_length=255)]


class Record(BaseModel):
    """Base of the records: frozen, and without surprises in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ExplanationRecord(Record):
    """Why one item stood in one slate.

    Attributes:
        id: Public id.
        recommendation_id: The slate.
        item_id: The item.
        text: What the user reads.
        source: Who worded it: the model, or a template because there was no model, because the
            check refused the model's wording, or because the model failed.
        verdict: What the check of the text against the evidence found.
        evidence: What the text may say.
        provenance: Model, prompt, a refused wording with its verdict, latency in seconds.
        created_at: When it was made, UTC.
    """

    id: str
    recommendation_id: str
    item_id: str
    text: str
    source: str
    verdict: dict[str, Any]
    evidence: dict[str, Any]
    provenance: dict[str, Any]
    created_at: datetime


class Wording(Record):
    """The present text of one explanation, which a model may be about to replace.

    Attributes:
        explanation_id: Public id of the explanation.
        item_id: The item.
        position: Its place in the slate, 1 is the top.
        state: ``pending`` while a model is still to word it, ``final`` afterwards.
        ending: How the waiting ended: ``written``, ``dropped``, ``cancelled`` or ``lapsed``; None
            where a model was never to word it later, or is still to.
        text: What is shown now; checked against the evidence, whoever worded it.
        source: Who worded it.
    """

    explanation_id: str
    item_id: str
    position: int
    state: Literal["pending", "final"]
    ending: str | None
    text: str
    source: str


class RecommendedItem(Record):
    """One position of a slate; position 1 is the top, and so is base rank 1 of the pool."""

    position: int
    item_id: str
    title: str
    topics: tuple[str, ...]
    year: int | None
    base_score: float
    base_rank: int
    explanation: ExplanationRecord | None = None


class Recommendation(Record):
    """One slate that was shown, as it is recorded.

    Attributes:
        id: Public id; feedback refers to it.
        user_id: For whom.
        created_at: When, UTC.
        candidates_version: What proposed the items.
        policy_version: What ordered them.
        k: Length of the slate.
        propensity: Probability with which this very slate was drawn.
        constraint_state: Limits in force, what of them was measured, and the controller's state.
        request: What was asked for.
        items: The slate.
    """

    id: str
    user_id: str
    created_at: datetime
    candidates_version: str
    policy_version: str
    k: int
    propensity: float
    constraint_state: dict[str, Any]
    request: dict[str, Any]
    items: tuple[RecommendedItem, ...]


class Feedback(Record):
    """What a user did with an item.

    Attributes:
        user_id: Who.
        item_id: With what.
        kind: ``click``; ``rating`` with a value from 1 to 5; ``like`` and ``dislike``; ``seen``
            (known before); ``skip`` (passed over on purpose).
        value: The rating; no other kind has one.
        recommendation_id: The slate it came from, if it came from one.
        occurred_at: When; now if not given. It needs a time zone.
    """

    user_id: PublicId
    item_id: PublicId
    kind: EventKind
    value: float | None = None
    recommendation_id: PublicId | None = None
    occurred_at: datetime | None = None


class LimitCost(Record):
    """One limit in one list, with the wishes and without them.

    Attributes:
        limit: Its name in reports, or ``diversity``.
        target: The least level aimed at, as a mean over many lists; None where there is none.
        with_wishes: Level of the list that was shown.
        without_wishes: Level of the list that the same policy would have shown without wishes.
        most_possible: The highest level that the candidates left by the wishes allow; None for
            diversity.
    """

    limit: str
    target: float | None
    with_wishes: float
    without_wishes: float
    most_possible: float | None


class WishCost(Record):
    """What wishes cost, or gave, in each limit; levels are shares of exposure, or distances."""

    limits: tuple[LimitCost, ...]


class WishEntry(Record):
    """One turn's wishes, as far as they hold.

    Attributes:
        refinement: The wishes.
        phrases: One plain phrase per wish.
    """

    refinement: dict[str, Any]
    phrases: tuple[str, ...]


class Turn(Record):
    """One answer in a conversation.

    Attributes:
        conversation_id: The conversation.
        message_id: The answer's message.
        reply: The answer.
        intent: What the user's words were taken for.
        refinement: The wishes that hold from now on.
        recommendation: A slate under those wishes, where one was asked for.
        wishes: The same wishes, turn by turn, oldest first; each can be taken back.
        options: What the answer asks to choose from, if it asks something.
        cost: What the wishes did to each limit in this slate; None without a slate or wishes.
    """

    conversation_id: str
    message_id: str
    reply: str
    intent: str
    refinement: dict[str, Any]
    recommendation: Recommendation | None
    wishes: tuple[WishEntry, ...] = ()
    options: tuple[str, ...] = ()
    cost: WishCost | None = None


class MessageRecord(Record):
    """One thing said in a conversation."""

    id: str
    ordinal: int
    role: Literal["user", "assistant"]
    text: str
    intent: str | None = None
    refinement: dict[str, Any] | None
    recommendation_id: str | None
    cost: dict[str, Any] | None = None
    created_at: datetime


class ConversationRecord(Record):
    """A conversation with what was said in it.

    Attributes:
        id: Public id.
        user_id: The user.
        refinement: The stack of wishes that hold.
        summary: Of the messages up to ``summarised``, once there are many; None before.
        summarised: Ordinal of the last message that the summary covers.
        created_at: When it began, UTC.
        messages: Oldest first.
    """

    id: str
    user_id: str
    refinement: dict[str, Any]
    summary: str | None = None
    summarised: int = 0
    created_at: datetime
    messages: tuple[MessageRecord, ...]


class StackedWish(Record):
    """One entry of a conversation's stack of wishes.

    Attributes:
        id: Public id; ids sort by time.
        message_id: The user's message that asked for it; None for kept preferences.
        refinement: What was asked for.
        added_at: When, UTC.
        removed_at: When it was taken back; None while it holds.
        removed_by: The message that took it back, or ``api``.
    """

    id: str
    message_id: str | None
    refinement: dict[str, Any]
    added_at: datetime
    removed_at: datetime | None
    removed_by: str | None


class StepRecord(Record):
    """One step between a user's message and the answer."""

    name: str
    arguments: dict[str, Any]
    result: dict[str, Any]
    latency_s: float


class PreferencesRecord(Record):
    """What is kept about a user between conversations, and on what leave.

    Attributes:
        user_id: The user.
        consent: Whether they allow it now.
        consent_wording: Version of the text that they agreed to.
        consent_given_at: When, UTC.
        refinement: The wishes that new conversations begin with; None where none are kept.
    """

    user_id: str
    consent: bool
    consent_wording: str | None
    consent_given_at: datetime | None
    refinement: dict[str, Any] | None


class ModelUsage(Record):
    """What a language model was asked altogether, and how that ended.

    Attributes:
        model: Name of the model.
        outcome: How the requests ended; see `explain.calls.Outcome`.
        calls: How many.
        tokens_in: Tokens of their prompts, as far as servers said.
        tokens_out: Tokens of their answers.
        cost: By the prices of the settings.
    """

    model: str
    outcome: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float


class ProviderAccount(Record):
    """Why an item is shown as often as it is, for who offers it.

    Attributes:
        item_id: The item.
        policy_version: What ordered the lists.
        candidates_version: What proposed items for them.
        text: The counts in sentences.
        counts: The counts; see `explain.provider.ProviderEvidence`.
    """

    item_id: str
    policy_version: str
    candidates_version: str
    text: str
    counts: dict[str, Any]


class AuditAccount(Record):
    """What is on record behind one explanation, as pairs of label and value."""

    explanation_id: str
    text: str


class ContrastAccount(Record):
    """Why an item was shown and not another one.

    Attributes:
        explanation_id: Of the item that was shown.
        item_id: The other item.
        text: The answer.
        verdict: What the check of the text against the evidence found.
        evidence: That of the explanation, with what is known of the other item.
    """

    explanation_id: str
    item_id: str
    text: str
    verdict: dict[str, Any]
    evidence: dict[str, Any]


class VersionInfo(Record):
    """One candidate set or policy on record."""

    version: str
    kind: VersionKind
    status: VersionStatus
    deployed: bool
    artifact: str | None
    lineage: dict[str, Any]
    metrics: dict[str, Any]
    gate: dict[str, Any] | None
    created_at: datetime


class StoredVerdict(Record):
    """What the gate said of a policy, once.

    Attributes:
        id: Public id; ids sort by time.
        version: The policy.
        passed: Whether it may be deployed.
        verdict: Findings, hashes of what was judged, and the plan for a canary.
        created_at: When, UTC.
    """

    id: str
    version: str
    passed: bool
    verdict: dict[str, Any]
    created_at: datetime


class AuditScope(Record):
    """Which recorded slates an audit looks at; everything that is not None narrows it.

    Attributes:
        policy_version: Only slates that this version ordered.
        candidates_version: Only slates from these candidates; the deployed ones by default.
        since: Only slates from this moment on; UTC where no zone is named.
        until: Only slates before this moment; UTC where no zone is named.
    """

    policy_version: PublicId | None = None
    candidates_version: PublicId | None = None
    since: datetime | None = None
    until: datetime | None = None

    @field_validator("since", "until")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class StoredAudit(Record):
    """An audit on record: its scope and every figure."""

    id: str
    created_at: datetime
    scope: AuditScope
    report: dict[str, Any]
