"""Re-rankers that make each user's slate more varied, or truer to the user's topics."""
