"""The world: simulated users, Gymnasium environments and feedback-loop studies.

``config`` names every parameter, ``fit`` makes a ``World`` from candidates and ratings,
``dynamics`` holds the equations, ``population`` runs them for many users at once, ``logged`` adds
what a platform could observe, ``envs`` holds the Gymnasium and stable-baselines3
faces, and ``rollout`` evaluates a policy.
"""
