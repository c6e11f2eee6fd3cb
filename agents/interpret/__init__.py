"""Which part of what a policy sees moves which weight: numbers, pictures, sentences."""
