"""Runs first in the frozen program: programs that it starts must not find its bundled libraries.

PyInstaller's bootloader points the loader at the program's folder through the environment. This process has loaded its libraries by then; a
browser or a file manager started from it would load our Qt instead of its own, and crash.
"""

import os

for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
    before = os.environ.pop(f"{name}_ORIG", None)
    if before is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = before
