"""Server-sent events: what happens while a client listens.

Events, each with one JSON object as its data:

- ``reply``: ``{"text": …}``, a sentence of the answer, in order;
- ``turn``: the whole turn with its slate, as the same request without a stream answers it;
- ``sentence``: ``{"item_id": …, "position": …, "ordinal": …, "text": …}``, of a final text;
- ``explanation``: a final text as a `records.Wording`; it replaces what was shown for the item;
- ``problem``: an error after the stream began, as in ``application/problem+json``; the last event;
- ``done``: ``{}``; nothing follows.

Only texts that passed the check are sent. A comment is sent now and then to keep the line open.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, nullcontext, suppress
from typing import Any

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from ...errors import FairloopError
from ..db.engine import Database
from ..following import LOOK_SECONDS, Follower, sentences
from ..records import Turn, Wording
from ..rewording import Rewording
from .problems import problem_of

MEDIA_TYPE = "text/event-stream"
KEEPALIVE_SECONDS = 15.0

# Proxies must neither keep nor collect what is sent.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

DESCRIBED: dict[str, Any] = {
    MEDIA_TYPE: {"schema": {"type": "string", "description": "Server-sent events."}}
}


def wants_events(request: Request) -> bool:
    """Whether the client asked for events rather than for one JSON object."""
    return MEDIA_TYPE in request.headers.get("accept", "")


def stream(events: AsyncIterator[bytes], status: int = 200) -> StreamingResponse:
    """The response that sends these."""
    return StreamingResponse(events, status, headers=HEADERS, media_type=MEDIA_TYPE)


async def turn_events(
    request: Request, database: Database, later: Rewording | None, turn: Turn
) -> AsyncGenerator[bytes]:
    """A turn: the reply at once, the slate, and each text when it is final.

    A client that goes away ends the wording of the slate's texts, unless another one listens: the
    server then cancels this generator, wherever it waits.
    """
    for text in sentences(turn.reply):
        yield event("reply", {"text": text})
    yield event("turn", turn)
    if turn.recommendation is None:
        yield event("done", {})
        return
    slate = turn.recommendation.id
    finished = False
    try:
        async with aclosing(wording_events(request, database, later, slate)) as told:
            async for one in told:
                yield one
        finished = True
    finally:
        if not finished and later is not None and not later.listened(slate):
            later.cancel(slate)


async def wording_events(
    request: Request, database: Database, later: Rewording | None, recommendation_id: str
) -> AsyncGenerator[bytes]:
    """The texts of a slate: those that are final at once, the others when they are."""
    follower = Follower(database, recommendation_id)
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def settled() -> None:
        loop.call_soon_threadsafe(changed.set)

    listening = later.listening(recommendation_id, settled) if later else nullcontext()
    sent_at = time.monotonic()
    with listening:
        while True:
            changed.clear()
            try:
                news = await run_in_threadpool(follower.news)
            except FairloopError as error:
                refusal = bytes(problem_of(error, request.url.path).body).decode()
                yield format_sse_event(event="problem", data_str=refusal)
                return
            for wording in news:
                for piece in _pieces(wording):
                    yield piece
                sent_at = time.monotonic()
            if follower.done:
                yield event("done", {})
                return
            if time.monotonic() - sent_at > KEEPALIVE_SECONDS:
                yield KEEPALIVE_COMMENT
                sent_at = time.monotonic()
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), LOOK_SECONDS)


def event(name: str, data: BaseModel | dict[str, Any]) -> bytes:
    """One event on the wire."""
    plain = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data)
    return format_sse_event(event=name, data_str=plain)


def _pieces(wording: Wording) -> list[bytes]:
    about = {"item_id": wording.item_id, "position": wording.position}
    told = [
        event("sentence", about | {"ordinal": ordinal, "text": text})
        for ordinal, text in enumerate(sentences(wording.text), start=1)
    ]
    return [*told, event("explanation", wording)]
