"""Which part of what a policy sees moves which of its weights, as numbers, pictures and sentences."""
