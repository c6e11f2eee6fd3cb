"""``fairloop evaluate``: how good is it? Of a policy, of explanations, of conversations.

Without a name of what to evaluate it is a policy: ``fairloop evaluate --seed 3`` is
``fairloop evaluate policy --seed 3``.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from .evaluate_conversation import conversation_command
from .evaluate_explanations import explanations_command
from .evaluate_policy import policy_command

DEFAULT = "policy"
"""What is evaluated where nothing is named."""


class DefaultGroup(TyperGroup):
    """Puts ``policy`` in front of arguments that start with none of the group's commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, with the default command where none is named."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultGroup,
    add_completion=False,
)


@app.callback()
def evaluate() -> None:
    """Evaluate a stored policy (without a name), the explanations, or conversations."""


app.command("policy")(policy_command)
app.command("explanations")(explanations_command)
app.command("conversation")(conversation_command)
