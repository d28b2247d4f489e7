"""Puts models beside the program: `fetch_models.py FOLDER NAME...`. Each file has the SHA-256 of the manifest, whatever its source."""

import sys
from pathlib import Path

from agent.features.models.model_store import ModelStore


def main() -> int:
    folder, *names = sys.argv[1:]
    store = ModelStore(Path(folder))
    for name in names:
        print(name, store.fetch(name).stat().st_size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
