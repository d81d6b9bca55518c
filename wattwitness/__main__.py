"""`python -m wattwitness` is `wattwitness`."""

from wattwitness.cli import main

main()
