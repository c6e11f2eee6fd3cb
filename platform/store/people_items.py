"""Users and items."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from ...errors import UnknownItem, UnknownUser
from ..db.base import utc_now
from ..db.tables import Item, User
from .bulk import chunks, upsert


def save_users(session: Session, attributes: dict[str, dict[str, Any]]) -> None:
    """Add users, by id; those already there take the new attributes."""
    now = utc_now()
    rows = [{"id": key, "attributes": of, "created_at": now} for key, of in attributes.items()]
    _save(session, User.__table__, rows)


def save_items(session: Session, described: dict[str, tuple[str, dict[str, Any]]]) -> None:
    """Add items, by id, each with its title and attributes; those already there take the new."""
    now = utc_now()
    rows = [
        {"id": key, "title": title, "attributes": attributes, "created_at": now}
        for key, (title, attributes) in described.items()
    ]
    _save(session, Item.__table__, rows)


def require_users(session: Session, ids: Iterable[str]) -> None:
    """Refuse ids that are not stored.

    Raises:
        UnknownUser: At least one is not; the first is named.
    """
    if missing := _missing(session, User.id, ids):
        raise UnknownUser(f"no user {missing[0]!r} is stored", field="user_id")


def require_items(session: Session, ids: Iterable[str]) -> None:
    """Refuse ids that are not stored.

    Raises:
        UnknownItem: At least one is not; the first is named.
    """
    if missing := _missing(session, Item.id, ids):
        raise UnknownItem(f"no item {missing[0]!r} is stored", field="item_id")


def _save(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    assert isinstance(table, Table)
    upsert(session, table, rows)


def _missing(session: Session, column: Any, ids: Iterable[str]) -> list[str]:
    wanted = sorted(set(ids))
    found: set[str] = set()
    for chunk in chunks(wanted):
        found.update(session.scalars(select(column).where(column.in_(chunk))))
    return [key for key in wanted if key not in found]
