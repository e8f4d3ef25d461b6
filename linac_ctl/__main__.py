"""`linac-ctl` and `python -m linac_ctl`."""

import sys

from linac_ctl.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
