"""The whole deployment on one machine: the real template.yaml on moto, in one process, with an HTTP gateway in front."""

import os.path
import sys

# The core layer is importable in Lambda; older Pythons have to get as far as the message of __main__.
_CORE_LAYER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "layers", "core")  # noqa: PTH100, PTH118, PTH120
if _CORE_LAYER not in sys.path:
    sys.path.insert(0, _CORE_LAYER)
