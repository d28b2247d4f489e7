"""Writes the API's OpenAPI description, from which the UI's types are generated; `--check` fails when the file is out of date."""

import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.accounts.routes import account_routes  # noqa: E402
from agent.consent.link_routes import consent_link_routes  # noqa: E402
from agent.desks.routes import desk_routes  # noqa: E402
from agent.incidents.routes import incident_routes  # noqa: E402
from agent.libraries.routes import libraries_routes  # noqa: E402
from agent.main.http import create_app  # noqa: E402
from agent.people.vectors.routes import vector_routes  # noqa: E402
from agent.uploads.routes import upload_routes  # noqa: E402
from agent.web.server_routes import server_routes  # noqa: E402
from agent.workers.routes import worker_routes  # noqa: E402

TARGET = ROOT / "ui" / "src" / "api" / "openapi.json"


def description() -> str:
    """Return the OpenAPI document as JSON text. The routes are only described, never called, so their dependencies may be anything."""
    app = create_app(MagicMock(version="1", ui=ROOT), lambda: 0)
    # A team server's only: one description shows both.
    account_routes(app, MagicMock())
    libraries_routes(app, MagicMock(), MagicMock())
    consent_link_routes(app, MagicMock(), MagicMock())
    server_routes(app, str, "1", lambda: ("", ""))
    desk_routes(app, MagicMock())
    worker_routes(app, MagicMock())
    upload_routes(app, MagicMock())
    vector_routes(app, MagicMock())
    incident_routes(app, MagicMock(), MagicMock())
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
