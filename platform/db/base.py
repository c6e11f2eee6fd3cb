"""What all tables share: names of constraints, UTC times, JSON and ordered ids."""

import secrets
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect, MetaData, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

Json = dict[str, Any]


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; a time without a zone is refused, since nobody could say when it was."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC on the way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Name the zone on the way out, which SQLite does not keep."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of the tables; every constraint has a name, so that a migration can drop it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        str: String(255),
        datetime: UtcDateTime(),
        Json: JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
    }


def utc_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def new_ids(n: int) -> list[str]:
    """``n`` unguessable ids that sort in the order in which they were made.

    UUIDs of version 7 (RFC 9562, method 3): 60 bits of time in steps of about 0.25 µs, counted up
    within one call, then 62 random bits.
    """
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    start = (milliseconds << 12) + (rest << 12) // 1_000_000
    return [_uuid7(start + step) for step in range(n)]


def new_id() -> str:
    """One id of ``new_ids``."""
    return new_ids(1)[0]


def _uuid7(ticks: int) -> str:
    value = (ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64
    return str(UUID(int=value | 0b10 << 62 | secrets.randbits(62)))
