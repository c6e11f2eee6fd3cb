"""Tables of users and items, as the data set describes them."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, utc_now


class User(Base):
    """A person who is recommended to; the id is the data set's own."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    attributes: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Item(Base):
    """Something that can be recommended; the id is the data set's own."""

    __tablename__ = "items"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    attributes: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
