"""attackspan."""
