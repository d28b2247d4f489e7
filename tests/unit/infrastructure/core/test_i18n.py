"""Texts in both languages."""

import re
from datetime import datetime, timedelta

import pytest

from agent.domain.errors import BadRequest, ImageTooLarge, RecognitionOff, RepositoryUnwritable, SettingsInvalid, SettingsUnknownKey, leaves
from agent.infrastructure.core.config_check import _REASONS
from agent.infrastructure.core.i18n import (
    LANGUAGES,
    Texts,
    browser_language,
    catalogue,
    fill,
    on_server,
    preferred_language,
    system_language,
)
from agent.infrastructure.core.setting_fields import setting_fields

PLACE = re.compile(r"\{(\w+)\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def plain(keys: set[str]) -> set[str]:
    """Keys without plural endings: Chinese has only one form."""
    return {re.sub(r"_(one|other)$", "", key) for key in keys}


def test_both_languages_have_the_same_texts() -> None:
    english, chinese = (set(catalogue(language)) for language in LANGUAGES)
    assert plain(english) == plain(chinese)


def test_a_text_has_the_same_places_in_both_languages() -> None:
    english, chinese = (catalogue(language) for language in LANGUAGES)
    for key in english.keys() & chinese.keys():
        assert set(PLACE.findall(english[key])) == set(PLACE.findall(chinese[key])), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_a_cause_and_a_remedy(language: str) -> None:
    texts = catalogue(language)
    for code in leaves():
        for part in ("cause", "remedy"):
            text = texts[f"errors.{code}.{part}"]
            assert text.endswith((".", "?", "。", "？")), f"{code} {part}"
            assert "!" not in text
            assert "！" not in text
            assert bool(CHINESE.search(text)) == (language == "zh-CN")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_and_section_has_its_words(language: str) -> None:
    texts = catalogue(language)
    for key, field in setting_fields().items():
        section, name = key.replace("[]", "").split(".")
        assert not field.unit or texts[f"settings.unit.{field.unit}"]
        assert all(texts[f"settings.{section}.{name}.choice_{choice}"] for choice in field.choices)
        assert texts[f"settings.{section}.title"]
        assert texts[f"settings.{section}.{name}.title"]
        assert texts[f"settings.{section}.{name}.help"]
    for kind in {*_REASONS.values(), "between", "between_whole", "inside", "one_of", "like", "other"}:
        assert texts[f"settings.reason.{kind}"]


def test_no_words_are_left_over_for_errors_and_settings_that_are_gone() -> None:
    known = {f"errors.{code}" for code in leaves()} | {f"settings.{key.replace('[]', '')}" for key in setting_fields()}
    for key in catalogue("en"):
        if key.startswith(("errors.", "settings.")) and not key.startswith(("settings.reason.", "settings.unit.")):
            owner = key.rpartition(".")[0]
            assert owner in known or (key.count(".") == 2 and key.endswith(".title")), key


def test_a_refused_setting_says_why_in_the_reader_s_language() -> None:
    error = SettingsInvalid(key="popup.seconds", reason="between_whole", minimum=2, maximum=3600)
    assert Texts("en").cause(error) == "“popup.seconds” must be a whole number from 2 to 3,600."
    assert "2 到 3,600 的整数" in Texts("zh-CN").cause(error)


def test_other_reasons_stand_as_they_are() -> None:
    assert "no such id" in Texts("en").cause(BadRequest(reason="no such id"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_is_grouped_by_thousands(language: str) -> None:
    texts = Texts(language)
    assert "1,234" in texts("cli.status.working", count=1234)
    assert "1,312.5" in texts.cause(ImageTooLarge(megapixels=1312.5, limit=200))


def test_a_text_fits_the_facts_there_are() -> None:
    texts = Texts("en")
    assert "megapixels; the limit is 200" in texts.cause(ImageTooLarge(megapixels=312.5, limit=200))
    assert "MB; the limit is 500" in texts.cause(ImageTooLarge(megabytes=900, limit=500))
    assert "“popup.seconds”" in texts.remedy(SettingsUnknownKey(key="popup.secnds", nearest="popup.seconds"))
    assert "Did you mean" not in texts.remedy(SettingsUnknownKey(key="zzz", nearest=""))


def test_a_repository_of_backups_is_named_in_the_reader_s_language_if_it_is_known() -> None:
    assert Texts("zh-CN").cause(RepositoryUnwritable(where="local")).startswith("本地：")
    assert Texts("en").cause(RepositoryUnwritable(where="offsite")).startswith("Second place: ")
    assert ":" not in Texts("en").cause(RepositoryUnwritable(where=""))


def test_plurals_are_chosen_by_count() -> None:
    assert Texts("en")("tray.recent_item", name="x", count=1) == "x — 1 face"
    assert Texts("en")("tray.recent_item", name="x", count=1200) == "x — 1,200 faces"
    assert CHINESE.search(Texts("zh-CN")("tray.recent_item", name="x", count=1))


def test_of_several_counts_each_follows_its_own_number() -> None:
    assert Texts("en").counted("cli.status.library", photos=1, faces=2, people=1) == "1 photo, 2 faces, 1 person"
    assert Texts("zh-CN").counted("cli.scan.done", photos=1200, faces=1) == "1,200 张照片，1 张人脸。"


def test_a_missing_text_is_its_key_and_a_missing_fact_stays_visible() -> None:
    assert Texts("zh-CN")("no.such.text") == "no.such.text"
    assert fill("{a} of {b}", {"a": 1}) == "1 of {b}"


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "en_US", "LANG": "zh_CN"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_TW"}, "zh-CN"),
    ],
)
def test_the_system_s_language_is_followed(environ: dict[str, str], language: str) -> None:
    assert system_language(environ) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("de-DE, en-GB;q=0.7, zh", "en"),
        ("de", None),
        ("zho, enx", None),
        ("", None),
    ],
)
def test_the_first_language_of_a_browser_that_the_program_speaks_is_followed(header: str, language: str | None) -> None:
    assert preferred_language(header) == language


def test_a_browser_s_language_is_that_of_auto_but_no_chosen_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    token = browser_language.set("zh-CN")
    try:
        assert (Texts().language, Texts("en").language) == ("zh-CN", "en")
    finally:
        browser_language.reset(token)
    assert Texts().language == "en"


@pytest.mark.parametrize(
    ("hours", "english", "chinese"),
    [(3, "15:00", "15:00"), (20, "tomorrow 08:00", "明天 08:00"), (50, "2026-06-12 14:00", "2026-06-12 14:00")],
)
def test_a_time_is_said_with_its_day_unless_that_is_today(hours: int, english: str, chinese: str) -> None:
    now = datetime(2026, 6, 10, 12).astimezone()
    assert Texts("en").moment(now + timedelta(hours=hours), now) == english
    assert Texts("zh-CN").moment(now + timedelta(hours=hours), now) == chinese


@pytest.mark.parametrize("language", LANGUAGES)
def test_readers_elsewhere_are_told_of_the_server_in_place_of_this_computer(language: str) -> None:
    texts = Texts(language)
    key = "settings.recognition.enabled.help"
    here, refused = texts(key), texts.remedy(RecognitionOff())
    token = on_server.set(True)
    try:
        there = texts(key), texts.remedy(RecognitionOff()), texts.remedy(RecognitionOff(covering=1))
        assert texts("settings.popup.title") == Texts(language)("settings.popup.title"), "what needs no other text has none"
    finally:
        on_server.reset(token)
    assert here != there[0] and refused != there[1] and len(set(there)) == 3
    for text in there:
        assert ("server" in text or "服务器" in text) and "this computer" not in text and "本机" not in text
    assert texts(key) == here
