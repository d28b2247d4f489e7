"""What a package says of itself comes from the environment of its making, whole or not at all."""

import base64
import json
from pathlib import Path

import pytest

from installers.build_info import write_build

KEY = base64.b64encode(bytes(32)).decode()
ADDRESS = {"AI_POPUP_BUILD_UPDATE_ADDRESS": "https://updates.example/manifest.json", "AI_POPUP_BUILD_UPDATE_KEY": KEY}


def test_without_build_settings_it_is_a_stable_package_that_looks_for_no_updates(tmp_path: Path) -> None:
    file = write_build(tmp_path / "build", "deb", {})
    assert file == tmp_path / "build" / "build.json"
    assert json.loads(file.read_text()) == {"kind": "deb", "channel": "stable", "update_address": None, "update_key": None}


def test_channel_address_and_key_are_those_of_the_environment(tmp_path: Path) -> None:
    facts = json.loads(write_build(tmp_path, "appimage", {**ADDRESS, "AI_POPUP_BUILD_CHANNEL": "beta"}).read_text())
    assert facts == {"kind": "appimage", "channel": "beta", "update_address": ADDRESS["AI_POPUP_BUILD_UPDATE_ADDRESS"], "update_key": KEY}


@pytest.mark.parametrize(
    "environ",
    [
        {"AI_POPUP_BUILD_UPDATE_ADDRESS": "https://updates.example"},
        {"AI_POPUP_BUILD_UPDATE_KEY": KEY},
        {**ADDRESS, "AI_POPUP_BUILD_UPDATE_ADDRESS": "http://updates.example"},
        {**ADDRESS, "AI_POPUP_BUILD_UPDATE_KEY": "c2hvcnQ="},
        {**ADDRESS, "AI_POPUP_BUILD_UPDATE_KEY": "not base64!"},
        {"AI_POPUP_BUILD_CHANNEL": "nightly"},
    ],
)
def test_half_or_wrong_build_settings_make_no_package(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        write_build(tmp_path, "deb", environ)
    assert not (tmp_path / "build.json").exists()
