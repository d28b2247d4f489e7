"""Writes a photo with a face into a folder, for testing installed programs: `python -m installers.photo FOLDER`."""

import argparse
import shutil
from pathlib import Path

from agent.features.models.model_store import ModelStore

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ModelStore(ROOT / "build" / "cache" / "models").fetch("samples") / "obama.jpg", folder)


if __name__ == "__main__":
    main()
