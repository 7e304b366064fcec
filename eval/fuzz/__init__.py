"""Fuzzing: damaged and hostile inputs at every door, which may only be read rightly or be refused."""
