"""Re-rankers that keep group shares in the prefixes of each ranking."""
