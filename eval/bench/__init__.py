"""One script a claim about speed. Each runs both sides in turn, in one run, and prints a ratio with its spread."""
