"""`python -m bench`."""

from bench.running import main

raise SystemExit(main())
