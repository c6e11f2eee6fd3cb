"""Learns what to show: constrained reinforcement learning and the gate before deployment."""
