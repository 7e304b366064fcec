"""``python -m attackspan``: the command line."""

from attackspan.cli import main

main()
