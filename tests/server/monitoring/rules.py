"""The alert rules for Prometheus, read as data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.chart import read_yaml

MONITORING = Path(__file__).parents[3] / "installers" / "server" / "monitoring"
RULE_FILES = sorted((MONITORING / "rules").glob("*.yml"))


@dataclass(frozen=True)
class Alert:
    name: str
    expression: str
    labels: dict[str, str]
    annotations: dict[str, str]


def rules() -> list[dict[str, Any]]:
    return [rule for file in RULE_FILES for group in read_yaml(file)["groups"] for rule in group["rules"]]


def alerts() -> dict[str, Alert]:
    return {rule["alert"]: Alert(rule["alert"], rule["expr"], rule["labels"], rule["annotations"]) for rule in rules() if "alert" in rule}


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()]
