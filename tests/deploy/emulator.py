"""MiniStack, an emulator of AWS by other authors than moto's, on 127.0.0.1 for as long as the standard input stays open.

Runs in an environment of its own (`make test-deploy` makes it): `python emulator.py PORT`. Functions run in its child processes,
which end with it.
"""

import os
import sys
import threading


def _end_with_the_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # the emulator keeps nothing, and its threads would hold the process up


if __name__ == "__main__":
    os.environ |= {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": sys.argv.pop(1), "IOT_MTLS_ENABLED": "0"}
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    from ministack.app import main  # reads the environment as it is imported

    main()
