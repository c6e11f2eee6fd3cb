"""The world: simulated users, Gymnasium environments and feedback-loop studies."""
