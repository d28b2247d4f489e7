"""Runs first in the frozen program: what it starts beside itself must not find the libraries that it brings along for itself.

PyInstaller's starter points the loader at the program's folder through the environment. This process has done its looking up by then; a
browser or a file manager started from it would take our Qt for its own, and fall.
"""

import os

for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
    before = os.environ.pop(f"{name}_ORIG", None)
    if before is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = before
