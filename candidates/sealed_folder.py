"""Folders whose manifest holds the hash of every file, and is itself covered by a hash."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import ArtifactNotFound, CorruptArtifact
from .folders import sha256_bytes, sha256_file, write_folder_atomically

MANIFEST = "manifest.json"
VERSION_LENGTH = 12


def seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json`` beside the files of a folder.

    Added to the given entries: ``files`` (name to SHA-256), ``content`` (hash of all entries but
    the time) and ``created`` (UTC).
    """
    files = {path.name: sha256_file(path) for path in sorted(folder.iterdir())}
    sealed = {**manifest, "files": files}
    sealed["content"] = _content_hash(sealed)
    sealed["created"] = datetime.now(UTC).isoformat(timespec="microseconds")
    (folder / MANIFEST).write_text(json.dumps(sealed, indent=2, sort_keys=True) + "\n", "utf-8")


def read_sealed(folder: Path, kind: str, mend: str) -> dict[str, Any]:
    """The manifest of a folder, after every hash was verified.

    Args:
        folder: The folder.
        kind: What it must hold; the manifest's entry ``kind``.
        mend: What to do when it is absent or damaged, such as a command to run.

    Raises:
        ArtifactNotFound: There is no such folder or no manifest in it.
        CorruptArtifact: A file or the manifest differs from what was written.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtifactNotFound(f"no {kind} in {folder}", field=str(folder), mend=mend)
    manifest = _parse(path, mend)
    if manifest.get("content") != _content_hash(manifest) or manifest.get("kind") != kind:
        raise CorruptArtifact(f"{path} is not the manifest that was written", field=kind, mend=mend)
    for name, expected in manifest["files"].items():
        file = folder / name
        if not file.is_file() or sha256_file(file) != expected:
            raise CorruptArtifact(
                f"{file} differs from the hash in its manifest", field=kind, mend=mend
            )
    return manifest


def write_version(root: Path, fill: Callable[[Path], Mapping[str, Any]]) -> Path:
    """Write a folder named after its content, atomically.

    Args:
        root: Folder of all versions.
        fill: Writes the files into the folder it is given and returns the manifest's entries.

    Returns:
        ``root/<version>``, the version being the start of the content hash.

    Raises:
        StorageFull: The disk is full; nothing is left behind.
    """
    staged = root / ".staged"

    def fill_and_seal(folder: Path) -> None:
        seal(folder, fill(folder))

    return write_folder_atomically(staged, fill_and_seal, name=_version_name)


def version_of(folder: Path) -> str:
    """The version written in a folder's manifest.

    Raises:
        ArtifactNotFound: There is no manifest.
        CorruptArtifact: It cannot be read.
    """
    if not (folder / MANIFEST).is_file():
        raise ArtifactNotFound(f"no manifest in {folder}", field=str(folder))
    return str(_parse(folder / MANIFEST, "Make it again.")["content"])[:VERSION_LENGTH]


def latest_version(root: Path, kind: str, mend: str) -> Path:
    """The version under ``root`` that was created last.

    Raises:
        ArtifactNotFound: There is none.
        CorruptArtifact: A manifest cannot be read.
    """
    made = [path.parent for path in root.glob(f"[!.]*/{MANIFEST}")]
    if not made:
        raise ArtifactNotFound(f"no {kind} in {root}", field=str(root), mend=mend)
    return max(made, key=lambda folder: str(_parse(folder / MANIFEST, mend)["created"]))


def _version_name(folder: Path) -> str:
    return version_of(folder)


def _parse(path: Path, mend: str) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CorruptArtifact(f"{path} is not JSON: {error}", mend=mend) from error
    if not isinstance(manifest, dict) or not {"content", "created", "files"} <= manifest.keys():
        raise CorruptArtifact(f"{path} lacks entries of a manifest", mend=mend)
    return manifest


def _content_hash(manifest: Mapping[str, Any]) -> str:
    content = {k: v for k, v in manifest.items() if k not in ("content", "created")}
    return sha256_bytes(json.dumps(content, sort_keys=True).encode())
