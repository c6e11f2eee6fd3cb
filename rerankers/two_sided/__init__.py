"""Re-rankers that divide exposure over a whole batch: users on one side, items on the other."""
