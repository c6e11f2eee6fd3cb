"""A model as a folder of two files: JSON and tensors, hashed together, nothing executable.

The version is a prefix of the hash over both and the name of the folder, which appears whole or
not at all.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..candidates.folders import write_file_atomically, write_folder_atomically
from ..errors import ArtifactNotFound, CorruptArtifact, InvalidValue

VERSION_LENGTH = 12

Manifest = TypeVar("Manifest", bound=BaseModel)
Stored = TypeVar("Stored")


@dataclass(frozen=True, slots=True)
class HashedFolder:
    """How one kind of model is stored.

    Attributes:
        stem: Name of both files, so that no kind is ever taken for another.
        noun: What it is called in errors.
        make: The sentence that says how to make one.
        mend: The sentence that says what to do about a corrupt one.
    """

    stem: str
    noun: str
    make: str
    mend: str

    @property
    def manifest(self) -> str:
        """Name of the JSON file."""
        return f"{self.stem}.json"

    @property
    def tensors(self) -> str:
        """Name of the file of tensors."""
        return f"{self.stem}.safetensors"

    def write(self, parent: Path, manifest: BaseModel, arrays: Mapping[str, NDArray[Any]]) -> Path:
        """Write ``parent/<version>`` atomically, unless it stands there; the folder.

        Raises:
            StorageFull: The disk refused; nothing was kept.
        """
        tensors = save(dict(arrays))
        body: dict[str, Any] = {
            "manifest": manifest.model_dump(mode="json"),
            "tensors_sha256": hashlib.sha256(tensors).hexdigest(),
        }
        body["content_sha256"] = _content_hash(body)
        made = parent / body["content_sha256"][:VERSION_LENGTH]
        if made.exists():
            return made

        def fill(temporary: Path) -> None:
            write_file_atomically(temporary / self.tensors, tensors)
            text = json.dumps(body, indent=2, sort_keys=True) + "\n"
            write_file_atomically(temporary / self.manifest, text.encode())

        return write_folder_atomically(made, fill)

    def read(
        self,
        folder: Path,
        kind: type[Manifest],
        put_together: Callable[[dict[str, NDArray[Any]], Manifest], Stored],
    ) -> tuple[Stored, Manifest, str]:
        """What the arrays and the manifest make, the manifest, and the version.

        Raises:
            ArtifactNotFound: There is none in the folder.
            CorruptArtifact: A file is missing, unreadable, or differs from its hash.
        """
        if not (folder / self.manifest).is_file():
            raise ArtifactNotFound(f"no {self.noun} in {folder}", field="policy", mend=self.make)
        try:
            body: dict[str, Any] = json.loads((folder / self.manifest).read_bytes())
            stated = body.pop("content_sha256")
            tensors = (folder / self.tensors).read_bytes()
            found = hashlib.sha256(tensors).hexdigest()
            if _content_hash(body) != stated or found != body["tensors_sha256"]:
                raise CorruptArtifact(
                    f"the files in {folder} differ from their hash", field="policy", mend=self.mend
                )
            manifest = kind.model_validate(body["manifest"])
            stored = put_together(load(tensors), manifest)
        except (
            OSError,
            UnicodeDecodeError,
            json.JSONDecodeError,
            AttributeError,
            KeyError,
            TypeError,
            ValidationError,
            SafetensorError,
            InvalidValue,
        ) as error:
            raise CorruptArtifact(
                f"the {self.noun} in {folder} cannot be read: {error}",
                field="policy",
                mend=self.mend,
            ) from error
        return stored, manifest, str(stated)[:VERSION_LENGTH]


def _content_hash(body: dict[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
