"""Each alert fires when it should and only then, as Prometheus' own tool computes it."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.server.alerts.alert_kinds import FACTS, AlertKind
from scripts.chart import read_yaml
from tests.server.monitoring.rules import MONITORING, RULE_FILES, alerts

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is in Debian's package prometheus")
JOB = 'job="ai-popup"'
HERE = f'{JOB},instance="api:9464"'
OF_JOB = {"job": "ai-popup"}
OF_INSTANCE = {"job": "ai-popup", "instance": "api:9464"}


def one(name: str, values: str, labels: str = HERE, **more: str) -> tuple[str, str]:
    said = ",".join([labels, *(f'{key}="{value}"' for key, value in more.items())])
    return f"{name}{{{said}}}", values


def answered(good: float, bad: float, minutes: int) -> list[tuple[str, str]]:
    """Requests per minute."""
    return [
        one("ai_popup_responses_total", f"0+{number}x{minutes}", **{"class": status}) for status, number in (("2xx", good), ("5xx", bad))
    ]


def timed(fast: float, all_of_them: float, minutes: int) -> list[tuple[str, str]]:
    return [
        one("ai_popup_request_seconds_bucket", f"0+{fast}x{minutes}", method="GET", route="/api/images", le="0.5"),
        one("ai_popup_request_seconds_count", f"0+{all_of_them}x{minutes}", method="GET", route="/api/images"),
    ]


@dataclass(frozen=True)
class Case:
    """Series of a minute's step; the alert fires at `at` in `fires`, and does not in any of `quiet`."""

    at: str
    fires: list[tuple[str, str]]
    quiet: list[list[tuple[str, str]]]
    labels: Mapping[str, str] = field(default_factory=lambda: OF_INSTANCE)


def ends_in(days: float) -> list[tuple[str, str]]:
    return [one("ai_popup_certificate_ends_timestamp_seconds", f"{round(days * 86_400)}x300")]


def queue(age: int, rate: float, paused: int = 0) -> list[tuple[str, str]]:
    return [
        one("ai_popup_queue_oldest_seconds", f"{age}x60", priority="new"),
        one("ai_popup_images_analysed_total", f"0+{rate}x60"),
        one("ai_popup_paused", f"{paused}x60"),
    ]


def workers(living: int, wanted: int, queued: int) -> list[tuple[str, str]]:
    return [
        one("ai_popup_workers", f"{living}x60", state="idle"),
        one("ai_popup_workers", "3x60", state="gone"),
        one("ai_popup_workers_wanted", f"{wanted}x60"),
        one("ai_popup_queue", f"{queued}x60", state="queued"),
    ]


def twice(series: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same from another API process, too."""
    return [*series, *((key.replace("api:9464", "api-2:9464"), values) for key, values in series)]


def free(share: float) -> list[tuple[str, str]]:
    return [one("ai_popup_disk_free_bytes", f"{round(share * 1000)}x60"), one("ai_popup_disk_bytes", "1000x60")]


def memory(used: float) -> list[tuple[str, str]]:
    available = round((1 - used) * 1000)
    return [
        one("ai_popup_machine_memory_available_bytes", f"{available}x60"),
        one("ai_popup_machine_memory_bytes", "1000x60"),
    ]


def sized(kind: str, megabytes: str, limit: int | None = 1_500) -> list[tuple[str, str]]:
    """The largest process of a kind, and the threshold of all kinds: another's doesn't count."""
    others = {"server": 100, "worker": 100, "engine": 100, "matcher": 100} | {kind: limit}
    return [
        one("ai_popup_memory_largest_bytes", megabytes, process=kind),
        *(one("ai_popup_memory_threshold_bytes", f"{each}x20", process=name) for name, each in others.items() if each is not None),
    ]


def memory_case(kind: str) -> Case:
    """One that grows is recovered within a moment; one that has no threshold may be of any size."""
    quiet = [sized(kind, "1400x20"), sized(kind, "1600 1600 200x18"), sized(kind, "1600x20", limit=None)]
    return Case("8m", sized(kind, "200 900 1600x18"), quiet, {**OF_INSTANCE, "process": kind})


def backup(figure: str, value: int, kind: str = "database") -> list[tuple[str, str]]:
    return [one(f"ai_popup_backup_{figure}", f"{value}x20", repository="offsite", kind=kind)]


def no_backup(enabled: int) -> list[tuple[str, str]]:
    """A server that started a moment ago."""
    return [one("ai_popup_backups_enabled", f"{enabled}x20"), one("ai_popup_start_timestamp_seconds", "0x20")]


def photos(failed: float, done: float) -> list[tuple[str, str]]:
    return [
        one("ai_popup_images_failed_total", f"0+{failed}x120"),
        one("ai_popup_images_analysed_total", f"0+{done}x120"),
    ]


DAY = 1_440
CASES: dict[str, Case] = {
    # Two errors of a hundred requests: twenty times the budget, of which there are enough.
    "availability-burning-fast": Case(
        "70m",
        answered(98, 2, 70),
        [answered(99.95, 0.05, 70), answered(5, 0.1, 70)],
        OF_JOB,
    ),
    "availability-burning-slow": Case("400m", answered(99, 1, 400), [answered(99.95, 0.05, 400), answered(0.5, 0.01, 400)], OF_JOB),
    "latency-burning": Case("70m", timed(80, 100, 70), [timed(99.5, 100, 70)], OF_JOB),
    "server-down": Case("3m", [one("up", "0x10")], [[one("up", "1x10")], [one("up", "1 0 1x8")]]),
    "not-ready": Case(
        "8m",
        [one("ai_popup_ready", "0x20", check="disk"), one("ai_popup_draining", "0x20")],
        [
            [one("ai_popup_ready", "1x20", check="disk"), one("ai_popup_draining", "0x20")],
            [one("ai_popup_ready", "0x20", check="disk"), one("ai_popup_draining", "1x20")],
        ],
        {**OF_INSTANCE, "check": "disk"},
    ),
    "restarting": Case(
        "30m",
        [one("ai_popup_start_timestamp_seconds", "0x5 300x5 600x5 900x15")],
        [[one("ai_popup_start_timestamp_seconds", "0x15 900x15")]],
    ),
    "database-unreachable": Case("3m", [one("ai_popup_database_up", "0x10")], [[one("ai_popup_database_up", "1x10")]]),
    "unexpected-errors": Case(
        "20m",
        [one("ai_popup_errors_total", "0x10 2x10", code="agent.unexpected", where="request")],
        [
            [one("ai_popup_errors_total", "2x30", code="agent.unexpected", where="request")],
            [one("ai_popup_errors_total", "0+5x30", code="access.forbidden", where="request")],
        ],
        {**OF_JOB, "where": "request"},
    ),
    "watchdog": Case("1m", [], [], {}),
    "queue-stuck": Case("45m", queue(2_000, 0), [queue(2_000, 1), queue(600, 0), queue(2_000, 0, paused=1)], OF_JOB),
    "workers-missing": Case("8m", workers(1, 2, 0), [workers(1, 1, 5), workers(0, 0, 0), workers(2, 1, 0)], OF_JOB),
    "photos-failing": Case("90m", photos(1, 2), [photos(1, 20), photos(0.2, 0.2)], OF_JOB),
    "disk-low": Case("8m", free(0.09), [free(0.11)]),
    "disk-full": Case("3m", free(0.02), [free(0.05)]),
    "memory-high": Case("8m", memory(0.95), [memory(0.9)]),
    **{f"{kind}-memory-high": memory_case(kind) for kind in ("server", "worker", "engine", "matcher")},
    "connections-near-limit": Case(
        "8m",
        [one("ai_popup_database_connections", "85x20", state="idle"), one("ai_popup_database_connections_limit", "100x20")],
        [[one("ai_popup_database_connections", "60x20", state="idle"), one("ai_popup_database_connections_limit", "100x20")]],
        OF_JOB,
    ),
    "backup-too-old": Case(
        "8m",
        backup("age_seconds", 100_000),
        [backup("age_seconds", 80_000), backup("age_seconds", 700_000, kind="drill"), no_backup(enabled=0), no_backup(enabled=1)],
        {**OF_JOB, "repository": "offsite", "kind": "database"},
    ),
    "backup-drill-failed": Case(
        "2m",
        backup("failed", 1, kind="drill"),
        [backup("failed", 0, kind="drill")],
        {**OF_JOB, "repository": "offsite", "kind": "drill"},
    ),
    "offsite-copy-failing": Case(
        "2m",
        backup("failed", 1),
        [backup("failed", 0), backup("failed", 1, kind="drill")],
        {**OF_JOB, "repository": "offsite", "kind": "database"},
    ),
    "wal-archive-failing": Case(
        "15m", [one("ai_popup_wal_archive_failing", "1x20")], [[one("ai_popup_wal_archive_failing", "0x20")]], OF_JOB
    ),
    "certificate-expiring": Case("70m", ends_in(10), [ends_in(20), ends_in(0.01)]),
    "certificate-expired": Case("60m", ends_in(0.01), [ends_in(10)]),
    "sign-in-refusals-high": Case(
        "15m",
        [one("ai_popup_sign_ins_total", "0+10x15", way="password", result="refused")],
        [
            [one("ai_popup_sign_ins_total", "0+2x15", way="password", result="refused")],
            [one("ai_popup_sign_ins_total", "0+50x15", way="password", result="accepted")],
        ],
        OF_JOB,
    ),
}
EXTRA_FIRING = {"workers-missing": workers(0, 0, 7)}
# What several API processes tell of the database, the queue and the photos is the same: it counts once.
TOLD_TWICE = (
    "queue-stuck",
    "workers-missing",
    "photos-failing",
    "connections-near-limit",
    "backup-too-old",
    "backup-drill-failed",
    "offsite-copy-failing",
    "wal-archive-failing",
)


def test_every_alert_is_tried() -> None:
    assert CASES.keys() == alerts().keys()
    assert all(case.quiet for name, case in CASES.items() if name != "watchdog")


def test_promtool_accepts_the_rules_and_finds_each_alert_where_it_should(tmp_path: Path) -> None:
    tests = []
    for name, case in CASES.items():
        alert = alerts()[name]
        expected = {"exp_labels": {**case.labels, **alert.labels}, "exp_annotations": alert.annotations}
        firing = [case.fires, *([more] if (more := EXTRA_FIRING.get(name)) else [])]
        for series, fires in [*((each, True) for each in firing), *((each, False) for each in case.quiet)]:
            told = twice(series) if name in TOLD_TWICE else series
            tests.append(
                {
                    "name": f"{name} {'fires' if fires else 'is quiet'}",
                    "interval": "1m",
                    "input_series": [{"series": key, "values": values} for key, values in told],
                    "alert_rule_test": [{"eval_time": case.at, "alertname": name, "exp_alerts": [expected] if fires else []}],
                }
            )
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps({"rule_files": [str(each) for each in RULE_FILES], "evaluation_interval": "1m", "tests": tests}))
    for command in (["check", "rules", *map(str, RULE_FILES)], ["test", "rules", str(file)]):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, timeout=170, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_alert_that_the_server_watches_too_has_its_severity() -> None:
    own = {kind.value: facts.severity.value for kind, facts in FACTS.items()}
    assert {name: each.labels["severity"] for name, each in alerts().items() if name in set(AlertKind)} == {
        name: severity for name, severity in own.items() if name in alerts()
    }


def test_every_alert_names_itself_and_its_page() -> None:
    for name, alert in alerts().items():
        assert alert.labels["alert"] == name and alert.annotations["runbook"] == f"ai-popup help {name}"


@pytest.mark.parametrize("folder", [MONITORING, MONITORING / "host"], ids=["containers", "host"])
@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is in Debian's package prometheus-alertmanager")
def test_alertmanager_accepts_its_configuration_and_routes_by_it(folder: Path) -> None:
    file = str(folder / "alertmanager.yml")
    done = subprocess.run(["amtool", "check-config", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    def receivers(alertname: str) -> list[str]:
        words = ["amtool", "config", "routes", "test", f"--config.file={file}", f"alertname={alertname}"]
        return re.split(r"[,\s]+", subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.strip())

    assert receivers("disk-low") == ["ai-popup"]
    assert receivers("watchdog") == receivers("server-down") == ["outside"]


@pytest.mark.parametrize(("folder", "secrets"), [(MONITORING, "/run/secrets"), (MONITORING / "host", "/etc/prometheus")])
def test_prometheus_accepts_its_configuration(tmp_path: Path, folder: Path, secrets: str) -> None:
    config = read_yaml(folder / "prometheus.yml")
    (tmp_path / "token").write_text("x")
    for each in config["scrape_configs"]:
        if "authorization" in each:
            assert each["authorization"] == {"credentials_file": f"{secrets}/metrics-token"}
            each["authorization"]["credentials_file"] = str(tmp_path / "token")
    (tmp_path / "rules").symlink_to(MONITORING / "rules")
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    command = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "rules found" in done.stdout, done.stdout + done.stderr
    assert {each["job_name"] for each in config["scrape_configs"]} >= {"ai-popup", "ai-popup-worker"}


def test_a_host_is_watched_as_containers_are() -> None:
    """The files of a host differ in addresses and in the places of secrets."""
    there, here = (read_yaml(folder / "alertmanager.yml") for folder in (MONITORING, MONITORING / "host"))
    assert (here["route"], here["inhibit_rules"]) == (there["route"], there["inhibit_rules"])
    addresses = {"//api:": "//localhost:", "/run/secrets/": "/etc/prometheus/", '"api"': '"localhost"'}
    told = json.dumps(there["receivers"])
    for before, after in addresses.items():
        told = told.replace(before, after)
    assert here["receivers"] == json.loads(told)
    there, here = (read_yaml(folder / "prometheus.yml") for folder in (MONITORING, MONITORING / "host"))
    assert [each["job_name"] for each in here["scrape_configs"]] == [each["job_name"] for each in there["scrape_configs"]]
    assert (here["global"], here["rule_files"]) == (there["global"], there["rule_files"])
