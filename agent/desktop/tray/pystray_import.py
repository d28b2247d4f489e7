"""Imports pystray, the tray model of every system: on Linux with its dummy backend, because its others load GTK and a display at once."""

import os
import sys
from typing import Any


def _load() -> Any:
    if not sys.platform.startswith("linux"):
        import pystray

        return pystray
    chosen = os.environ.get("PYSTRAY_BACKEND")
    os.environ["PYSTRAY_BACKEND"] = "dummy"
    try:
        import pystray

        return pystray
    finally:
        del os.environ["PYSTRAY_BACKEND"]
        if chosen is not None:
            os.environ["PYSTRAY_BACKEND"] = chosen


pystray: Any = _load()
