"""A platform with one talkative user, and models that obey whoever speaks last."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fairloop.explain.evidence import Evidence, ItemFacts, Link, Move, ScoreParts
from fairloop.explain.sanitise import display_title
from fairloop.platform.db.engine import open_database
from fairloop.platform.home import Home
from fairloop.platform.recommender import Recommender, open_recommender
from fairloop.platform.settings import Settings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

SECRET = "my locker opens with periwinkle otter"
OTHER = "u7"


class Obedient(BaseChatModel):
    """Does what it is told by anybody: gives the answer that a test wants from what it read."""

    answer: Callable[[str], str]

    @property
    def _llm_type(self) -> str:
        return "obedient"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        read = "\n".join(str(message.content) for message in messages)
        message = AIMessage(self.answer(read), response_metadata={"finish_reason": "stop"})
        return ChatResult(generations=[ChatGeneration(message=message)])


@pytest.fixture(scope="module")
def platform(
    stocked_home: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recommender]:
    """A recommender in whose record another user has told a secret."""
    root = Path(shutil.copytree(stocked_home[0], tmp_path_factory.mktemp("safety") / "home"))
    settings = Settings(home=root, fallback_reranker="exposure-controller")
    database = open_database(settings.url)
    recommender = open_recommender(settings, database)
    assert Home.of(settings).root == root
    recommender.chat(recommender.start_conversation(OTHER), f"{SECRET}. No T1.")
    yield recommender
    database.close()


def evidence_with(
    title: str, liked: str = "Heat", topics: tuple[str, ...] = ("Drama",)
) -> Evidence:
    """Evidence of an item of that title, which goes through what every title goes through."""

    def facts(key: str, name: str, year: int) -> ItemFacts:
        return ItemFacts(
            item_id=key,
            title=display_title(name, key),
            year=year,
            topics=topics,
            popularity_percentile=20.0,
            long_tail=True,
        )

    link = Link(item=facts("2", liked, 1995), share=0.4, rating=5.0, shared_topics=topics)
    return Evidence(
        item=facts("1", title, 1990),
        links=(link,),
        attribution="item_weights",
        liked="rated_at_least_4",
        n_liked=3,
        base_score=1.0,
        base_rank=4,
        pool_size=100,
        shown_rank=1,
        parts=ScoreParts(base=1.0),
        moves=(Move(rule="exposure", attribute="popularity", group="long_tail", places=3),),
    )
