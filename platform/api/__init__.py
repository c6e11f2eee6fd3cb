"""The HTTP API. Serving loads neither RecBole nor torch."""

from .app import create_app

__all__ = ["create_app"]
