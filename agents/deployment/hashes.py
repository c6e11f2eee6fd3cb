"""Hashes of what a decision rests on, such that anybody can make them again from the JSON."""

import hashlib

from pydantic import BaseModel


def sha256_of(model: BaseModel) -> str:
    """SHA-256 of a model's JSON, as pydantic writes it, hexadecimal."""
    return hashlib.sha256(model.model_dump_json().encode()).hexdigest()
