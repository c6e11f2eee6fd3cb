"""Why: evidence, the text made from it, and the check that the text says nothing more."""
