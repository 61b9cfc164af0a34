"""`python -m crawler` is `vna`."""

from crawler.cli import main

main()
