"""What an environment must say, beyond being well-formed."""

from pathlib import Path

import pytest

from scripts.deploying.environment import NAMES, load, parsed
from scripts.deploying.meaning import faults
from scripts.validate_configs import ENVIRONMENTS, environment_faults


def test_the_shipped_environments_are_safe() -> None:
    assert environment_faults(ENVIRONMENTS) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "fault"),
    [
        ("prod", 'names = ["photos.example.org"]', "names = []", "server.names"),
        ("prod", 'migrate = "never"', 'migrate = "auto"', "server.migrate"),
        ("prod", 'required = "always"', 'required = "auto"', "consent.required"),
        ("prod", 'required = "always"', 'required = "always"\nsecond_person = false', "consent.second_person"),
        ("prod", 'offsite = "', 'drill_days = 0\noffsite = "', "backup: backups or their drill"),
        ("prod", 'offsite = "sftp://popup-backup@backup.example.org/srv/ai-popup"', "", "backup.offsite"),
        ("prod", 'email_to = ["operator@example.org"]', "", "alerts: no address"),
        ("prod", 'smtp_host = "mail.example.org"', "", "incidents.smtp_host"),
        ("prod", "keep_releases = 3", "keep_releases = 1", "keep_releases"),
        ("prod", "gate_s = 180", "gate_s = 20", "gate_s"),
        ("prod", "workers = 2", "workers = 0", "server.workers"),
        ("prod", 'names = ["', 'port = 443\nnames = ["', "other ports"),
        ("prod", 'names = ["', 'database = "postgresql://a:b@db/c"\nnames = ["', "holds a password"),
        ("prod", 'names = ["', 'colour = "red"\nnames = ["', "colour"),
        ("staging", 'migrate = "never"', 'migrate = "never"\n[settings.logs]\nlevel = "debug"', "logs.level"),
        ("staging", 'profile = "staging"', 'profile = "prod"', "deploy.compose.profile"),
    ],
)
def test_each_fault_is_named(name: str, before: str, after: str, fault: str) -> None:
    text = (ENVIRONMENTS / f"{name}.toml").read_text()
    assert before in text
    [found] = faults(parsed(name, text.replace(before, after, 1).encode()))
    assert fault in found and "b@db" not in found


def test_a_missing_or_unknown_file_is_a_fault(tmp_path: Path) -> None:
    for name in NAMES[1:]:
        (tmp_path / f"{name}.toml").write_bytes((ENVIRONMENTS / f"{name}.toml").read_bytes())
    (tmp_path / "live.toml").write_text("")
    assert [each.split()[0] for each in environment_faults(tmp_path)] == ["live.toml", "dev.toml"]
    assert load("dev").name == "dev"
