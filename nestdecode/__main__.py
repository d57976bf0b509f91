"""Run the command line: ``python -m nestdecode``."""

from nestdecode.cli import main

main()
