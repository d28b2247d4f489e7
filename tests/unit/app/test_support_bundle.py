"""The support bundle: what helps is in it, what is private is not."""

import io
import json
import zipfile
from pathlib import Path

import structlog

from agent.app.health import Finding, ModelFacts
from agent.app.support_bundle import MOST_LOG, support_bundle
from agent.domain.errors import SourceUnreachable
from agent.domain.jobs import JobState
from agent.features.library.records import Counts
from agent.infrastructure.core import logs
from agent.infrastructure.core.program_settings import LogSettings
from agent.infrastructure.core.screen_settings import WatchSettings
from agent.infrastructure.core.settings import Folder, Settings

SECRETS = ("Mei", "holiday", "secret", "/home", "photos")


def bundle(folder: Path, settings: Settings | None = None) -> dict[str, str]:
    made = support_bundle(
        "1.2.3",
        settings or Settings(),
        [Finding("settings", "/home/Mei/settings.toml"), Finding("folders", error=SourceUnreachable())],
        Counts(5, 7, 2, {JobState.FAILED: 1}),
        [ModelFacts("centerface", "detector", "present", "MIT", "a" * 64)],
        folder,
    )
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


def test_versions_settings_findings_counts_and_codes_are_in_it(tmp_path: Path) -> None:
    told = bundle(tmp_path)
    assert json.loads(told["about.json"])["program"] == "1.2.3" and "openvino" in json.loads(told["about.json"])["parts"]
    assert json.loads(told["doctor.json"]) == [
        {"name": "settings", "state": "ok", "code": None},
        {"name": "folders", "state": "failed", "code": "source.unreachable"},
    ]
    assert json.loads(told["library.json"]) == {"images": 5, "faces": 7, "people": 2, "jobs": {"failed": 1}}
    assert json.loads(told["settings.json"])["engine"]["workers"] == 0


def test_no_path_and_no_name_is_in_it(tmp_path: Path) -> None:
    folder = Folder(path="/home/Mei/photos", include=("Mei*.jpg",), exclude=("secret",), recursive=False)
    logs.configure(LogSettings(), tmp_path)
    try:
        log = structlog.get_logger()
        log.info("image.indexed", path="/home/Mei/photos/holiday.jpg", name="Mei", faces=2)
        try:
            raise OSError(2, "No such file", "/home/Mei/photos/holiday.jpg")
        except OSError:
            log.exception("core.failed")
    finally:
        logs.stop()
    watched = WatchSettings(only_in=("secret player",), sharing_signs=("*Mei shares*",))
    told = bundle(tmp_path, Settings(folders=(folder,), watch_screen=watched))
    assert "image.indexed" in told["logs/agent.log"]
    assert json.loads(told["settings.json"])["folders"][0]["recursive"] is False
    assert json.loads(told["settings.json"])["watch_screen"]["only_in"] == 1
    assert not [(name, secret) for name, text in told.items() for secret in SECRETS if secret in text]


def test_of_an_endless_log_only_the_end_is_taken(tmp_path: Path) -> None:
    line = b'{"event": "x"}\n'
    (tmp_path / "agent.log").write_bytes(b'{"event": "first"}\n' + line * (MOST_LOG // len(line) + 2))
    text = bundle(tmp_path)["logs/agent.log"]
    assert len(text) <= MOST_LOG and "first" not in text and text.startswith('{"event"')
