"""Every setting of a running Fairloop, read from ``FAIRLOOP_*`` variables.

Each one is described in ``docs/settings.md``; a test fails when one is missing there.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ..errors import InvalidValue
from ..explain.languages import LanguageCode

PREFIX = "FAIRLOOP_"

ModelKind = Literal["none", "embedded", "openai"]
FallbackReranker = Literal["top-k", "mmr", "exposure-controller"]


class Settings(BaseSettings):
    """The settings, each with its environment variable ``FAIRLOOP_<NAME>``.

    Attributes:
        home: Folder that holds data, artifacts, reports and the default database.
        database_url: SQLAlchemy URL; a SQLite file in the home folder when not set.
        model_kind: Where explanation texts are worded: nowhere (templates only), by the embedded
            model, or by an OpenAI-compatible server.
        model_base_url: Base URL of that server, ending in ``/v1``.
        model_api_key: Its key; never printed or stored.
        model_name: The model to ask for.
        model_timeout: Seconds to wait for one answer of the model, further attempts included.
        model_grammar: Whether that server takes GBNF grammars, as llama.cpp's does; the embedded
            model always does.
        model_threads: Processor threads of the embedded model.
        model_retries: Attempts after the first, where a failure may pass.
        model_breaker_failures: Failures in a row after which the model is left alone.
        model_breaker_seconds: How long it is left alone.
        model_price_in: Price of 1,000 tokens sent, in any one currency.
        model_price_out: Price of 1,000 tokens received.
        model_token_budget: Most tokens a UTC day, for one process; no bound when not set.
        model_cost_budget: Most money a UTC day, in the currency of the prices; likewise.
        model_cache: Answers of the model that are kept for equal evidence.
        model_workers: Texts that the API has worded at the same time.
        model_queue: Texts that may wait to be worded.
        model_patience: Seconds after which a text that waits is not worded any more.
        model_health_every: Seconds after which the model's health is looked at again.
        style: How much an explanation says: ``one_line``, ``short`` or ``detailed``.
        language: Of explanations: ``en`` or ``de``.
        noun: What an item is called in them, in the singular and in English.
        k: Slate length when a request names none.
        top_n: Candidates per user when candidates are trained.
        seed: Seed of every random choice in training; each recommendation records its own.
        fallback_reranker: What orders the candidates while no policy is deployed.
        max_batch: Most users in one HTTP request.
        host: Address the API listens on.
        port: Port the API listens on.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, protected_namespaces=()
    )

    home: Path = Path(".fairloop")
    database_url: SecretStr | None = None
    model_kind: ModelKind = "none"
    model_base_url: str | None = None
    model_api_key: SecretStr | None = None
    model_name: str = "local"
    model_timeout: Annotated[float, Field(gt=0, le=600)] = 20.0
    model_grammar: bool = False
    model_threads: Annotated[int, Field(ge=1, le=256)] = 1
    model_retries: Annotated[int, Field(ge=0, le=10)] = 2
    model_breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 3
    model_breaker_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    model_price_in: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    model_price_out: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    model_token_budget: Annotated[int, Field(ge=1)] | None = None
    model_cost_budget: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    model_cache: Annotated[int, Field(ge=0, le=1_000_000)] = 1024
    model_workers: Annotated[int, Field(ge=1, le=64)] = 1
    model_queue: Annotated[int, Field(ge=1, le=100_000)] = 200
    model_patience: Annotated[float, Field(gt=0, le=3600)] = 120.0
    model_health_every: Annotated[float, Field(ge=1, le=3600)] = 60.0
    style: Literal["one_line", "short", "detailed"] = "short"
    language: LanguageCode = "en"
    noun: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z ]*$")] = "title"
    k: Annotated[int, Field(ge=1, le=1000)] = 10
    top_n: Annotated[int, Field(ge=1, le=100_000)] = 100
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 2020
    fallback_reranker: FallbackReranker = "top-k"
    max_batch: Annotated[int, Field(ge=1, le=100_000)] = 1000
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8000

    @field_validator("database_url")
    @classmethod
    def _readable_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        try:
            backend = make_url(value.get_secret_value()).get_backend_name()
        except ArgumentError:
            raise ValueError("not a database URL such as postgresql+psycopg://host/name") from None
        if backend not in ("sqlite", "postgresql"):
            raise ValueError(f"database {backend!r} is not supported, only sqlite and postgresql")
        return value

    @model_validator(mode="after")
    def _a_server_has_an_address(self) -> "Settings":
        if self.model_kind == "openai" and not self.model_base_url:
            raise ValueError("model_kind=openai needs FAIRLOOP_MODEL_BASE_URL")
        return self

    @model_validator(mode="after")
    def _a_cost_has_prices(self) -> "Settings":
        if self.model_cost_budget is not None and not (self.model_price_in or self.model_price_out):
            raise ValueError("model_cost_budget needs FAIRLOOP_MODEL_PRICE_IN or _OUT")
        return self

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'fairloop.db').absolute()}"


def load_settings(**overrides: Any) -> Settings:
    """The settings of the environment, with ``overrides`` on top.

    Raises:
        InvalidValue: A value cannot be used, or a ``FAIRLOOP_*`` variable is not a setting.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise InvalidValue(
                "there is no such setting", field=name, mend="See docs/settings.md for all of them."
            )
    try:
        return Settings(**overrides)
    except ValidationError as error:
        # from None: the chained error would print the offending value, which may be a key.
        raise _as_invalid_value(error) from None


def _as_invalid_value(error: ValidationError) -> InvalidValue:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    location = first["loc"]
    field = PREFIX + str(location[0]).upper() if location else None
    message = first["msg"].removeprefix("Value error, ")
    return InvalidValue(f"{message}.", field=field, mend="See docs/settings.md.")
