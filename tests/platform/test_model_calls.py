"""Requests to models go on record: each of them, each prompt once."""

import sqlalchemy as sa
from fairloop.explain.calls import CallLog, ModelCall, Prompt
from fairloop.platform.db.engine import Database
from fairloop.platform.db.tables import Prompt as StoredPrompt
from fairloop.platform.records import ModelUsage
from fairloop.platform.store.conversations import add_message, start_conversation
from fairloop.platform.store.model_calls import calls_of, record_calls, usage
from fairloop.platform.store.people_items import save_users
from langchain_core.messages import HumanMessage, SystemMessage

PROMPTS = [
    Prompt.of([SystemMessage("Tell why."), HumanMessage(f"<data>{n}</data>")], "root ::= x")
    for n in range(2)
]


def a_call(prompt: Prompt, **changed: object) -> ModelCall:
    values = {
        "model": "m",
        "parameters": {"seed": 3, "max_tokens": 40},
        "prompt_hash": prompt.hash,
        "outcome": "answered",
        "attempts": 1,
        "tokens_in": 20,
        "tokens_out": 10,
        "cost": 0.25,
        "latency_s": 0.5,
    }
    return ModelCall.model_validate(values | changed)


def a_message(database: Database) -> str:
    with database.session() as session:
        save_users(session, {"ann": {}})
        return add_message(session, start_conversation(session, "ann"), "user", "hello")


def test_each_request_is_kept_and_each_prompt_once(database: Database) -> None:
    message = a_message(database)
    log = CallLog(
        [
            a_call(PROMPTS[0]),
            a_call(PROMPTS[0], cached=True, attempts=0, cost=0.0, tokens_in=None, tokens_out=None),
            a_call(PROMPTS[1], outcome="late", attempts=3, tokens_out=None, error="no answer"),
        ],
        {prompt.hash: prompt for prompt in PROMPTS},
    )
    for _ in range(2):
        with database.session() as session:
            record_calls(session, log, message_id=message)
    with database.reading() as session:
        stored = session.scalars(sa.select(StoredPrompt).order_by(StoredPrompt.hash)).all()
        assert [row.hash for row in stored] == sorted(p.hash for p in PROMPTS)
        assert {row.version for row in stored} == {PROMPTS[0].version}
        assert stored[0].content["grammar"] == "root ::= x"
        assert ["human", "<data>0</data>"] in [m for row in stored for m in row.content["messages"]]
        found = {(u.model, u.outcome): u for u in usage(session)}
    assert found["m", "answered"] == ModelUsage(
        model="m", outcome="answered", calls=4, tokens_in=40, tokens_out=20, cost=0.5
    )
    assert found["m", "late"].calls == 2


def test_what_is_read_back_is_what_was_recorded(house) -> None:
    shown = house.recommender().recommend("u1", 3)
    items = [item.item_id for item in shown.items]
    calls = [
        a_call(PROMPTS[0]),
        a_call(PROMPTS[1], outcome="breaker_open", attempts=0, error="open"),
    ]
    with house.database.session() as session:
        for item, call in zip(items, calls, strict=False):
            log = CallLog([call], {p.hash: p for p in PROMPTS})
            record_calls(session, log, recommendation_id=shown.id, item_id=item)
    with house.database.reading() as session:
        assert calls_of(session, shown.id) == calls
        assert calls_of(session, shown.id, items[1]) == [calls[1]]
        assert calls_of(session, shown.id, items[2]) == []
