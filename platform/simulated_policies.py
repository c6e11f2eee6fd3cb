"""From what a command names to a policy that a simulation can run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from ..agents.steering import served_reranker
from ..agents.storage import load_policy
from ..config_files import read_yaml
from ..errors import ArtifactNotFound, InvalidValue
from ..rerankers.algorithms import algorithms, configured, on_attributes
from ..rerankers.config import RerankerSettings
from ..rerankers.factory import RerankerConfig, make_reranker
from ..simulators.policies import RerankerPolicy, SlatePolicy
from ..simulators.policies.reference import REFERENCES, reference_policy
from .db.engine import Database
from .home import Home
from .ranking import Ranking

SERVING = "deployed"


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A policy, and how to make it anew: some carry a state from slate to slate.

    Attributes:
        name: Unique in a simulation; the name of its log.
        what: Its settings, or a sentence.
        make: Makes it for lists, groups and limits.
    """

    name: str
    what: str | dict[str, Any]
    make: Callable[[Ranking], SlatePolicy]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where stored policies are found."""

    home: Home
    database: Database


def named_policies(words: Sequence[str], stored: Stored | None) -> tuple[NamedPolicy, ...]:
    """The policies that a command names.

    Args:
        words: Names of reference policies or re-rankers, YAML files of a re-ranker's settings as
            ``fairloop rerank --config`` takes them, versions of stored policies, or ``deployed``.
        stored: Where versions are looked up; None where the users are made up.

    Raises:
        InvalidValue: A name is not known, or stands twice.
        ArtifactNotFound: No policy is deployed.
    """
    found = tuple(_named(word, stored) for word in words)
    names = [policy.name for policy in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidValue(
                f"{name!r} is named twice", field="policy", mend="Name each policy once."
            )
    return found


def _named(word: str, stored: Stored | None) -> NamedPolicy:
    if word in REFERENCES:
        return NamedPolicy(word, REFERENCES[word], lambda _: reference_policy(word))
    if word in algorithms():
        return _reranker(word, configured(word))
    path = Path(word)
    if path.suffix in (".yaml", ".yml", ".json"):
        return _reranker(path.stem, _from_file(path))
    if stored is not None:
        version = _version(word, stored)
        if version is not None:
            return _learned(word, version, stored)
    why = "" if stored is not None else " (stored policies know their own users, no made-up ones)"
    raise InvalidValue(
        f"there is no policy {word!r}{why}",
        field="policy",
        mend=f"Name one of {', '.join(REFERENCES)}; a re-ranker (`fairloop rerank --list`) or a "
        "YAML file with its settings; `deployed`, or the version of a stored policy.",
    )


def _from_file(path: Path) -> RerankerSettings:
    values = read_yaml(path)
    if "algorithm" not in values:
        raise InvalidValue(
            "does not say which re-ranker it configures",
            field=str(path),
            mend="Write `algorithm: NAME` beside its settings.",
        )
    return configured(str(values.pop("algorithm")), values)


def _reranker(name: str, config: RerankerSettings) -> NamedPolicy:
    """A re-ranker that sees what each user did so far, about the groups that the data have."""

    def make(ranking: Ranking) -> SlatePolicy:
        said = config.model_fields_set
        chosen = on_attributes(
            config,
            None if {"attribute", "item_attribute"} & said else ranking.item_attribute,
            None if "user_attribute" in said else ranking.user_attribute,
        )
        return RerankerPolicy(
            lambda states: make_reranker(
                cast(RerankerConfig, chosen), replace(ranking.knowledge, states=states)
            ),
            name,
        )

    return NamedPolicy(name, config.model_dump(mode="json"), make)


def _version(word: str, stored: Stored) -> str | None:
    if word != SERVING:
        return word if stored.home.policy(word).is_dir() else None
    from .registry import deployed  # loads langchain, which other policies do not need

    version = deployed(stored.database).policy
    if version is None or not stored.home.policy(version).is_dir():
        raise ArtifactNotFound(
            "no learned policy is deployed",
            field="policy",
            mend="Run `fairloop train policy`, or name a re-ranker in its place.",
        )
    return version


def _learned(name: str, version: str, stored: Stored) -> NamedPolicy:
    """A stored policy as it serves: with its controller, and within its hard filters."""
    policy = load_policy(stored.home.policy(version)).policy

    def make(ranking: Ranking) -> SlatePolicy:
        catalogue = ranking.knowledge.catalogue
        return RerankerPolicy(
            lambda states: served_reranker(policy, catalogue, states, name=version), name
        )

    return NamedPolicy(name, f"learned policy {version}, as it serves", make)
