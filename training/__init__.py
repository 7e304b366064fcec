"""The dataset builder and the trainer."""
