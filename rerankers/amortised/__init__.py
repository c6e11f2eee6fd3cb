"""Re-rankers that hold a target over time, with a state that can be saved and merged."""
