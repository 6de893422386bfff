"""`python -m modelreach`."""

from modelreach.cli import main

main()
