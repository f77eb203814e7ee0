"""`python -m oncue`."""

from oncue.cli.main import main

main()
