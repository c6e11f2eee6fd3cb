"""Every error Fairloop raises on purpose, on one page.

```
FairloopError
├── InvalidInput            a value, file or request that cannot be used
│   ├── UnknownUser         ├── UnknownItem        ├── UnknownRecord
│   ├── EmptyData           ├── MissingColumn      ├── InvalidValue
│   └── NotIdentified       data that cannot tell what was asked of them
├── UnreachableConstraint   a target above what any slate can give
├── NotReady                something must be made first
│   ├── ArtifactNotFound    └── NotMigrated
├── CorruptArtifact         a file's hash differs from its manifest
├── StorageFull             the disk refused a write; nothing was kept
├── WorkerFailed            the RecBole process ended without a result
└── GateRefused             a policy may not be deployed
```

An error names what is wrong (``message``), where (``field``) and how to mend it (``mend``). The
command line prints these on one line and exits with 2; the API sends them as problem+json.
"""


class FairloopError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: What is wrong, in one sentence.
        field: The input, column or setting it concerns, if there is one.
        mend: What the reader can do about it.
    """

    def __init__(self, message: str, *, field: str | None = None, mend: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.mend = mend

    def __str__(self) -> str:
        """One line: field, message, mend."""
        where = f"{self.field}: " if self.field else ""
        stop = "" if self.message.endswith((".", "!", "?")) else "."
        how = f"{stop} {self.mend}" if self.mend else ""
        return f"{where}{self.message}{how}"


class InvalidInput(FairloopError):
    """A value, file or request that cannot be used."""


class UnknownUser(InvalidInput):
    """A user id that the data set does not hold."""


class UnknownItem(InvalidInput):
    """An item id that the data set does not hold."""


class UnknownRecord(InvalidInput):
    """An id of a recommendation, explanation, conversation or audit that is not stored."""


class EmptyData(InvalidInput):
    """A file or table without a single usable row."""


class MissingColumn(InvalidInput):
    """A required column is absent."""


class InvalidValue(InvalidInput):
    """A value out of its range or of the wrong kind (a NaN rating, a k above the pool size)."""


class NotIdentified(InvalidInput):
    """Data that cannot tell what was asked of them, however many there are."""


class UnreachableConstraint(FairloopError):
    """A target above what any slate from the given pools can give."""


class NotReady(FairloopError):
    """Something must be made before this can run."""


class ArtifactNotFound(NotReady):
    """A folder of candidates or a policy that has not been made."""


class NotMigrated(NotReady):
    """The database schema is not at the version this code needs."""


class CorruptArtifact(FairloopError):
    """A stored file whose hash differs from the one in its manifest."""


class StorageFull(FairloopError):
    """The disk refused a write; nothing half-written was kept."""


class WorkerFailed(FairloopError):
    """The RecBole worker process ended without handing back a result."""


class GateRefused(FairloopError):
    """A policy broke a constraint or did not beat the best baseline, and is not deployed."""
