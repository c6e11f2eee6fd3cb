"""Language models that fail well: one client, its limits, and what is known of its health."""
