"""What is shown: one protocol, its algorithms, and the limits they work within."""
