"""Policies in worlds other than the one that they learned in: drawn, held out, misspecified."""
