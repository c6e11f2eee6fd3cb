"""The results of a study, and the folder they are stored in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ...candidates.candidate_set import CandidateSet
from ...candidates.folders import write_folder_atomically
from ...candidates.sealed_folder import seal
from ...rerankers.constraints import Constraints
from ..impressions import write_impressions
from .config import StudyConfig
from .feedback import FeedbackLog
from .measures import MEASURES
from .plot import draw_study

KIND = "study"
FORMAT = 2

ArmAndSeed = tuple[str, int]


@dataclass(frozen=True, slots=True)
class StudyResult:
    """The measures of a study, and what happened in it.

    Attributes:
        config: What was run; the constraints are filled in.
        frame: One row per measure: ``arm``, ``seed``, ``round`` (from 1), ``measure``, ``of``
            (``attribute=group``, or empty) and ``value``. What cannot be computed in a round has
            no row.
        base: The candidate set before the study.
        logs: What was shown, chosen and rated, by arm and seed; empty unless ``keep_log``.
    """

    config: StudyConfig
    frame: pd.DataFrame
    base: CandidateSet
    logs: Mapping[ArmAndSeed, FeedbackLog]

    @property
    def metrics(self) -> dict[str, float]:
        """RecBole's own test measures of the first fit."""
        return self.base.metrics

    def save(self, folder: Path) -> Path:
        """Store measures, pictures, logs and a manifest, all or nothing.

        ``study.parquet``, ``study.png``, ``study.svg``, and one file in the schema of impression
        logs for each arm and seed, which the manifest's ``logs`` lists.

        Raises:
            StorageFull: The disk is full; nothing is left behind and an earlier folder stays.
        """

        def fill(target: Path) -> None:
            self.frame.to_parquet(target / "study.parquet", index=False)
            arms = [arm.name for arm in self.config.arms]
            draw_study(self.frame, arms, self._targets(), target / "study")
            for (arm, seed), log in self.logs.items():
                write_impressions(target / self._file(arm, seed), log.impressions(self.base))
            seal(
                target,
                {
                    "kind": KIND,
                    "format": FORMAT,
                    "config": self.config.model_dump(mode="json"),
                    "metrics": self.metrics,
                    "measures": MEASURES,
                    "logs": [
                        {"arm": arm, "seed": seed, "file": self._file(arm, seed)}
                        for arm, seed in self.logs
                    ],
                },
            )

        return write_folder_atomically(folder, fill)

    def last_round(self) -> pd.DataFrame:
        """Mean over seeds of each measure in the last round, one column per arm.

        NaN where an arm has no value.
        """
        last = self.frame[self.frame["round"] == self.config.rounds]
        table = last.groupby(["measure", "of", "arm"])["value"].mean().unstack("arm")
        return table.reindex(columns=[arm.name for arm in self.config.arms])

    def _targets(self) -> dict[str, float]:
        """Limits on exposure shares by ``attribute=group``."""
        limits = self.config.constraints or Constraints()
        return {f"{limit.attribute}={limit.group}": limit.share for limit in limits.exposure}

    def _file(self, arm: str, seed: int) -> str:
        """Name of a log: the arm's number keeps names apart that differ in their signs alone."""
        number = 1 + [a.name for a in self.config.arms].index(arm)
        plain = re.sub(r"[^a-z0-9]+", "-", arm.lower()).strip("-")
        return f"log-{number}-{plain}-seed{seed}.parquet"
