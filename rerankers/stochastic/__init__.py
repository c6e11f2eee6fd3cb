"""Re-rankers that draw rankings from a distribution, with exact propensities."""
