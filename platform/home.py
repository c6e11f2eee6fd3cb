"""The folder in which one Fairloop keeps everything it makes."""

from dataclasses import dataclass
from pathlib import Path

from .settings import Settings


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below the home folder; nothing is made until ``ensure``.

    Attributes:
        root: The folder itself, ``FAIRLOOP_HOME``.
    """

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> "Home":
        """The home folder that the settings name."""
        return cls(settings.home.absolute())

    @property
    def data(self) -> Path:
        """The imported data set."""
        return self.root / "data"

    @property
    def candidates(self) -> Path:
        """One folder per version of the candidates."""
        return self.root / "candidates"

    @property
    def policies(self) -> Path:
        """One folder per version of the policy."""
        return self.root / "policies"

    @property
    def conditioned(self) -> Path:
        """One folder per version of a policy for a range of targets."""
        return self.root / "conditioned"

    @property
    def audits(self) -> Path:
        """Audit reports as files."""
        return self.root / "audits"

    @property
    def studies(self) -> Path:
        """Results of feedback-loop studies."""
        return self.root / "studies"

    @property
    def training(self) -> Path:
        """Stages of trainings as they end, with their curves; what was cut goes on from here."""
        return self.root / "training"

    @property
    def references(self) -> Path:
        """What each policy usually sees, against which its reasons are told."""
        return self.root / "references"

    @property
    def database(self) -> Path:
        """The default SQLite file."""
        return self.root / "fairloop.db"

    def candidate_set(self, version: str) -> Path:
        """Folder of one version of the candidates."""
        return self.candidates / version

    def policy(self, version: str) -> Path:
        """Folder of one version of the policy."""
        return self.policies / version

    def reference(self, version: str) -> Path:
        """What one version of the policy usually sees."""
        return self.references / f"{version}.safetensors"

    def ensure(self) -> "Home":
        """Make the folders that are missing."""
        for folder in (self.data, self.candidates, self.policies, self.audits, self.studies):
            folder.mkdir(parents=True, exist_ok=True)
        return self
