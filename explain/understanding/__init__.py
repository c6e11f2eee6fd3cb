"""From words to meaning: references, questions, wishes taken back, questions back, phrases."""
