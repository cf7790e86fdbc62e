"""`python -m plugbay.cli`, the command without its script."""

from plugbay.cli.main import main

raise SystemExit(main())
