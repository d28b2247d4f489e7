"""What a packager said of the program."""

import base64
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.infrastructure.core.package_info import Build, Channel, PackageKind, read_build

KEY = base64.b64encode(bytes(32)).decode()


def test_a_checkout_has_no_word_and_asks_nobody_for_updates() -> None:
    assert read_build() == Build(kind=PackageKind.WHEEL, channel=Channel.STABLE)
    assert not read_build().updates


def test_a_package_says_its_kind_and_whom_to_ask_and_believe(tmp_path: Path) -> None:
    word = {"kind": "appimage", "channel": "beta", "update_address": "https://example.org/updates", "update_key": KEY}
    (tmp_path / "build.json").write_text(json.dumps(word))
    assert read_build(tmp_path).model_dump(exclude={"loopback"}) == word
    assert read_build(tmp_path).updates


@pytest.mark.parametrize("missing", ["update_address", "update_key"])
def test_without_an_address_or_a_key_there_are_no_updates(tmp_path: Path, missing: str) -> None:
    word = {"kind": "deb", "update_address": "https://example.org/updates", "update_key": KEY, missing: None}
    (tmp_path / "build.json").write_text(json.dumps(word))
    assert not read_build(tmp_path).updates


@pytest.mark.parametrize("word", ['{"kind": "floppy"}', '{"update_key": "short"}', '{"update_key": "?"}', '{"surprise": 1}', "{"])
def test_a_malformed_word_is_a_defect_of_the_package(tmp_path: Path, word: str) -> None:
    (tmp_path / "build.json").write_text(word)
    with pytest.raises(ValidationError):
        read_build(tmp_path)
