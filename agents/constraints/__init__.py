"""Limits on groups of users: who is measured, by how much a group falls behind, and its price."""
