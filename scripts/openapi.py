"""Writes the API's OpenAPI description, from which the UI's types are generated; `--check` fails when the file is out of date."""

import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.interfaces.web.schema_base import Schema  # noqa: E402

# Before its subclasses are made, which take it from here.
Schema.model_config["use_attribute_docstrings"] = True

from agent.app.http import create_app  # noqa: E402
from agent.app.server.features import add_routes  # noqa: E402

TARGET = ROOT / "ui" / "src" / "api" / "openapi.json"


def description() -> str:
    """Return the OpenAPI document as JSON text. The routes are only described, never called, so their dependencies may be anything."""
    app = create_app(MagicMock(version="1", ui=ROOT), lambda: 0)
    add_routes(app, MagicMock())  # a team server's only: one description shows both
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> int:
    """Return the exit code."""
    now = description()
    if "--check" in sys.argv[1:]:
        current = TARGET.read_text(encoding="utf-8") == now
        print("ok" if current else "ui/src/api/openapi.json is out of date: python scripts/openapi.py && npm --prefix ui run types")
        return 0 if current else 1
    TARGET.write_text(now, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
