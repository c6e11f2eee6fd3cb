"""Files and folders that appear whole or not at all."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StorageFull


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_file_atomically(target: Path, data: bytes) -> None:
    """Write a file by way of a temporary sibling; an earlier file is replaced at once.

    Raises:
        StorageFull: The disk is full; nothing is left behind and an earlier file stays.
    """
    with named_storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            os.replace(temporary, target)
            _sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_folder_atomically(
    target: Path,
    fill: Callable[[Path], None],
    name: Callable[[Path], str] | None = None,
) -> Path:
    """Fill a temporary sibling folder, then move it into place.

    An earlier folder of the same name is replaced: it is moved aside first and comes back if the
    move into place fails.

    Args:
        target: The folder to make.
        fill: Writes the files into the folder it is given.
        name: Name of the folder, made from its content once it is filled; that of ``target``
            where None.

    Returns:
        The folder that was made.

    Raises:
        StorageFull: The disk is full; nothing is left behind and an earlier folder stays.
    """
    with named_storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            fill(temporary)
            for path in sorted(temporary.rglob("*")):
                if path.is_file():
                    _sync_file(path)
            _sync_folder(temporary)
            temporary.chmod(0o755)
            place = target if name is None else target.with_name(name(temporary))
            _replace_folder(temporary, place)
            _sync_folder(target.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return place


@contextmanager
def named_storage_errors(target: Path) -> Generator[None]:
    """Turn "no space left" and "quota exceeded" into ``StorageFull``."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(
            f"no space left to write {target}", field=str(target), mend="Free some space and retry."
        ) from error


def _replace_folder(temporary: Path, target: Path) -> None:
    if not target.exists():
        os.replace(temporary, target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    os.replace(target, aside / "old")
    try:
        os.replace(temporary, target)
    except OSError:
        os.replace(aside / "old", target)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sync_file(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
