"""From a policy that was measured to one that serves: findings, canary plan, roll-back rule."""
