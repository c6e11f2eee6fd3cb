"""True texts as a person might write them, filled in from evidence."""

import importlib.resources
from collections.abc import Mapping, Sequence

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from ...explain.english import ENGLISH
from ...explain.evidence import CAUSAL, Evidence, Link, Move
from ...explain.relations import POPULAR_FROM
from ...explain.wording import group_name, sentence_slots, speaks_of_long_tail


class Paraphrase(BaseModel):
    """A text with gaps.

    Attributes:
        needs: What an evidence record must hold for it to be true.
        text: The text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    needs: str
    text: str


def paraphrases() -> tuple[Paraphrase, ...]:
    """Those of ``paraphrases.yaml``."""
    file = importlib.resources.files(__name__.rpartition(".")[0]) / "paraphrases.yaml"
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Paraphrase, ...]).validate_python(found)


def fill(paraphrase: Paraphrase, evidence: Evidence, noun: str) -> str | None:
    """The text for one record; None where it would not be true of it.

    Where an exposure rule moved the item up, a sentence says so, as every text has to.
    """
    gaps = _gaps(evidence).get(paraphrase.needs)
    if gaps is None:
        return None
    named = evidence.item.title
    item = f'"{named}"'
    text = paraphrase.text.format(item=item, noun=noun, nouns=f"{noun}s", **_tail(gaps, noun))
    if paraphrase.needs == "exposure":
        return text
    rule = [s for s in sentence_slots(evidence, noun, "one_line") if s.says == "exposure"]
    return f"{text} {rule[0].sentences[0]}" if rule else text


def _tail(gaps: Mapping[str, str], noun: str) -> dict[str, str]:
    return {name: value.format(nouns=f"{noun}s") for name, value in gaps.items()}


def _gaps(evidence: Evidence) -> dict[str, dict[str, str]]:
    """What fills the gaps, by what it needs; what is missing is not so, or can't be named."""
    titles = [item.title.casefold() for item in evidence.items()]
    if len(set(titles)) < len(titles) or any("{" in title for title in titles):
        return {}  # two of a name: what is meant would depend on the reader
    item, gaps = evidence.item, dict[str, dict[str, str]]()
    gaps["rank"] = {"number": str(evidence.base_rank), "pool": str(evidence.pool_size)}
    if item.topics:
        gaps["topic"] = {"topics": ENGLISH.join(item.topics[:2])}
    if item.year is not None:
        gaps["year"] = {"year": str(item.year)}
    if item.newer_than is not None:
        gaps["newer"] = {"newer": str(round(item.newer_than))}
    if item.long_tail:
        gaps["tail"] = {}
    elif item.popularity_percentile >= POPULAR_FROM:
        gaps["popular"] = {}
    for share in evidence.taste:
        values = {"count": str(share.count), "total": str(share.total), "topic": share.topic}
        gaps.setdefault(share.scope, values)
    for rule in ("diversity", "state", "exposure"):
        move = evidence.gained(rule)
        if move is not None:
            gaps[rule] = {"places": _places(move), "tail": _who(move)}
    gaps.update(_of_links(evidence, evidence.links))
    return gaps


def _of_links(evidence: Evidence, links: Sequence[Link]) -> dict[str, dict[str, str]]:
    if not links:
        return {}
    gaps: dict[str, dict[str, str]] = {}
    first = f'"{links[0].item.title}"'
    led: dict[str, str] = dict.fromkeys(CAUSAL, "because")
    led |= {"embedding_cosine": "close", "co_occurrence": "together"}
    if evidence.liked == "rated_at_least_4":
        two = ENGLISH.join([f'"{link.item.title}"' for link in links[:2]])
        gaps[led[evidence.attribution]] = {"liked": first, "two": two}
        gaps["rated"] = {"title": first, "rating": f"{links[0].rating:g}"}
    percent = round(100 * links[0].share)
    if evidence.attribution == "item_weights" and percent >= 1:
        gaps["share"] = {"title": first, "percent": str(percent)}
    for link in links:
        if link.shared_topics:
            gaps["shares"] = {"title": f'"{link.item.title}"', "topic": link.shared_topics[0]}
            break
    return gaps


def _places(move: Move) -> str:
    places = ENGLISH.places(move.places)
    return places if move.exact else ENGLISH.at_least.format(places=places)


def _who(move: Move) -> str:
    return (
        "less-known {nouns}"
        if speaks_of_long_tail(move)
        else f"{{nouns}} of the group ‘{group_name(move)}’"
    )
