"""The network, its export, and the tagger that predicts with either."""
