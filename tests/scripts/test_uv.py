"""uv fetches from where pip is configured to fetch."""

from pathlib import Path

import pytest

from scripts.setup import uv

PYTHON = Path("python")


def configured(monkeypatch: pytest.MonkeyPatch, *lines: str) -> dict[str, str]:
    monkeypatch.setattr(uv, "answers", lambda *_, **__: "\n".join(lines))
    return uv.settings(PYTHON)


def test_a_mirror_of_pip_is_uvs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    assert configured(monkeypatch, "global.index-url='mirror'")["UV_DEFAULT_INDEX"] == "mirror"


def test_the_environment_counts_more_than_the_section_of_install_and_that_more_than_the_global_one() -> None:
    lines = ["global.index-url='one'", "install.index-url='two'"]
    assert uv.translated("\n".join(lines), {}) == {"UV_DEFAULT_INDEX": "two"}
    assert uv.translated("\n".join([":env:.index-url='three'", *lines]), {}) == {"UV_DEFAULT_INDEX": "three"}


def test_several_places_are_kept_apart() -> None:
    lines = ["global.find-links='\\n/one\\n/two'", "global.extra-index-url='a b'"]
    assert uv.translated("\n".join(lines), {}) == {"UV_FIND_LINKS": "/one,/two", "UV_INDEX": "a b"}


def test_what_is_set_for_uv_itself_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "own")
    assert configured(monkeypatch, "global.index-url='mirror'")["UV_DEFAULT_INDEX"] == "own"


def test_options_that_name_no_place_are_left_out() -> None:
    assert uv.translated("global.constraint='file'\n:env:.disable-pip-version-check='1'\n\nnonsense", {}) == {}


def test_no_variable_leads_uv_to_another_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_PYTHON", "another")
    assert "UV_PYTHON" not in configured(monkeypatch)


def test_no_configuration_of_the_checkout_is_read(tmp_path: Path) -> None:
    assert not any((folder / "pyproject.toml").exists() for folder in (uv.folder(), *uv.folder().parents))
