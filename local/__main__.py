"""`python -m local`: start the stack. An older Python prints the version that it needs."""

import sys

if sys.version_info[:2] != (3, 13):
    sys.stderr.write("RetainStream needs Python 3.13; this is Python %d.%d.\n" % sys.version_info[:2])  # noqa: UP031
    sys.exit(1)

from local.command import main

sys.exit(main())
