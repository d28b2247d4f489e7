"""Writes the server's Grafana dashboards: `scripts/dashboards.py [--check]`.

They are made from the panels in `scripts/dashboard_panels.py`, so that all look alike and every query can be tried:
tests/server/monitoring asks each of a Prometheus.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run as a file
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts.dashboard_panels import DASHBOARDS, Dashboard, Panel

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "installers" / "server" / "monitoring" / "dashboards"
_COLUMNS, _HEIGHT = 24, 8


def main() -> int:
    """Returns 1 if `--check` finds a file that differs."""
    texts = {FOLDER / f"{each.name}.json": json.dumps(rendered(each), indent=2, ensure_ascii=False) + "\n" for each in DASHBOARDS}
    if sys.argv[1:] == ["--check"]:
        stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        stale += [path for path in FOLDER.glob("*.json") if path not in texts]
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run scripts/dashboards.py")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    print(f"{len(texts)} dashboards written")
    return 0


def rendered(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard as Grafana reads it."""
    return {
        "uid": f"ai-popup-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["ai-popup"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_SOURCE, _JOBS]},
        "links": [{"type": "dashboards", "tags": ["ai-popup"], "asDropdown": False, "title": "", "keepTime": True}],
        "panels": list(_placed(dashboard.panels)),
    }


_SOURCE = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus", "current": {}}
_JOBS = {
    "name": "job",
    "type": "query",
    "label": "Job",
    "datasource": {"type": "prometheus", "uid": "$source"},
    "query": {"query": "label_values(ai_popup_info, job)", "refId": "job"},
    "refresh": 2,
    "multi": True,
    "includeAll": True,
    "current": {"text": "All", "value": "$__all"},
}


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """In rows from left to right."""
    placed, x, y = list[dict[str, Any]](), 0, 0
    row_height = 0
    for number, panel in enumerate(panels, 1):
        height = _HEIGHT // 2 if panel.stat else _HEIGHT
        if x + panel.width > _COLUMNS:
            x, y = 0, y + row_height
        row_height = height if x == 0 else max(row_height, height)
        placed.append(_panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": height}))
        x += panel.width
    return placed


def _panel(panel: Panel, number: int, at: Mapping[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_above is not None:
        steps.append({"color": "red", "value": panel.red_above})
    if panel.red_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.red_below}]
    targets = [
        {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend or "__auto", "instant": panel.stat, "range": not panel.stat}
        for index, (legend, query) in enumerate(panel.queries.items())
    ]
    defaults: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if len(steps) > 1 and not panel.stat:
        defaults["custom"] = {"thresholdsStyle": {"mode": "line"}}
    return {
        "id": number,
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.text,
        "datasource": {"type": "prometheus", "uid": "$source"},
        "gridPos": dict(at),
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if panel.stat else {"legend": {"displayMode": "list"}},
    }


if __name__ == "__main__":
    sys.exit(main())
