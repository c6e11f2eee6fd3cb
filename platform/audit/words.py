"""Names, units and explanations of what an audit measures, and how its numbers are written."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """How a measure is written.

    Attributes:
        label: Name in tables; ``{k}`` stands for the slate's length.
        meaning: One sentence for a reader who does not know the name.
        digits: Decimals that are shown.
    """

    label: str
    meaning: str
    digits: int = 3


MEASURES: dict[str, Measure] = {
    "ndcg": Measure(
        "NDCG@{k}", "How high held-out items stand in the slates; 1 is the best order possible."
    ),
    "recall": Measure("Recall@{k}", "Share of a user's held-out items that the slates hold."),
    "ild": Measure(
        "Intra-list distance", "Mean Jaccard distance of topics between items of a slate, 0 to 1."
    ),
    "gini": Measure(
        "Gini of exposure", "0 if every item of the catalogue is exposed alike, 1 if one has all."
    ),
    "coverage": Measure("Catalogue coverage", "Share of the catalogue that was shown at all."),
    "popularity": Measure(
        "Mean popularity", "Mean number of training interactions of the items shown.", 1
    ),
    "popularity_lift": Measure(
        "Popularity lift", "How much more popular the slates are than the users' own histories."
    ),
    "novelty": Measure(
        "Novelty", "Mean of −log2 of the share of users who know the items shown, in bits.", 2
    ),
}


def label(measure: str, k: int) -> str:
    """Name of a measure, with the slate's length where it has one."""
    return MEASURES[measure].label.format(k=k)


def digits(measure: str) -> int:
    """Decimals with which a measure is shown."""
    return MEASURES[measure].digits


def group_name(name: str) -> str:
    """A group's or attribute's name in running text."""
    return name.replace("_", " ")


def number(value: float | None, decimals: int = 3) -> str:
    """A number with thousands separated, or a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def percent(value: float | None) -> str:
    """A share as a percentage with one decimal."""
    return "–" if value is None else f"{number(100 * value, 1)} %"


def p_value(value: float | None) -> str:
    """A p-value; very small ones are bounded, not written as 0."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def count(n: int, one: str, many: str | None = None) -> str:
    """``n`` with its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
