"""The probability of a slate in torch, so that it can be differentiated."""

import torch


def slate_log_probability(
    scores: torch.Tensor,
    diversity: torch.Tensor,
    distances: torch.Tensor,
    columns: torch.Tensor,
    open_columns: torch.Tensor,
    temperature: float,
) -> torch.Tensor:
    """Log-probability of slates drawn as `sampled.draw_slates` does. O(B · k · N).

    What a position's scores depend on besides the parameters, that is what stands above it, is
    known once the slate is: so all positions are summed at once, and the gradient is exact.

    Args:
        scores: Of every candidate, shape ``(B, N)``.
        diversity: Strength of the distance term, shape ``(B,)``.
        distances: Mean distance to what stands above each position, shape ``(B, k, N)``.
        columns: The slates, int64, shape ``(B, k)``.
        open_columns: Candidates left at each position, bool, shape ``(B, k, N)``.
        temperature: Above 0.

    Returns:
        Shape ``(B,)``.
    """
    logits = (scores[:, None, :] + diversity[:, None, None] * distances) / temperature
    logits = logits.masked_fill(~open_columns, -torch.inf)
    chosen = torch.gather(logits, 2, columns[:, :, None])[:, :, 0]
    return (chosen - torch.logsumexp(logits, dim=2)).sum(dim=1)
