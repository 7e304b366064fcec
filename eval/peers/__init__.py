"""Other ways to find the same spans, each trained on the same documents in an environment of its own, and measured."""
