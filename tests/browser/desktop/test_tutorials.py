"""The tutorials: a very short one is filmed with the real program, and each that is shipped can be read."""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.infrastructure.core.i18n import Texts
from scripts.film.film import film
from scripts.film.hands import hand
from scripts.film.play import FOLDER, LANGUAGES, Play, Scene, read
from scripts.film.sound import Spoken, captions
from scripts.film.stage import Stage, browser_window
from tests.browser.conftest import need, x_server

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

    from tests.support.real_program import RealProgram

SHORT = Play(
    "short",
    (
        Scene(
            {"en": "Find faces.", "zh-CN": "查找人脸。"}, ("wait ui.first_run.title", "point css=[role=radio]:first-of-type"), looped=True
        ),
        Scene({"en": "Recognise people.", "zh-CN": "识别人物。"}, ("click css=[role=radio]:last-of-type",)),
    ),
)


def probed(video: Path, *words: str) -> Any:
    done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *words, str(video)], capture_output=True, check=True, timeout=100)
    return json.loads(done.stdout)


@pytest.mark.timeout(150)
def test_a_tutorial_is_filmed_with_voice_captions_and_loop(
    make_program: "Callable[[Mapping[str, str]], RealProgram]",
    playwright: "Playwright",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need("Xvfb", "ffmpeg", "ffprobe", "espeak-ng", "chromium")
    program = make_program({})
    program.file.remove_folder(str(program.watched))
    program.file.set("general.language", "zh-CN")
    program.start()
    with x_server("-screen", "0", "1280x720x24") as display:
        monkeypatch.setenv("DISPLAY", display)
        with hand(display) as pointer, browser_window(playwright, tmp_path / "browser", "zh-CN") as page, program.client() as client:
            stage = Stage(client, page, pointer, Texts("zh-CN"), tmp_path, program.watched)
            stage.enter()
            video = film(SHORT, "zh-CN", display, stage.act, tmp_path / "films")
            assert page.get_by_role("radio", checked=True).inner_text().startswith(Texts("zh-CN")("ui.first_run.people"))
            with pytest.raises(ValueError, match="unknown verb"):
                stage.act("dance")

    told = probed(video, "-show_format", "-show_streams")
    assert [stream["codec_type"] for stream in told["streams"]] == ["video", "audio", "subtitle"]
    seconds = float(told["format"]["duration"])
    assert 2 < seconds < 60
    shown = re.findall(r"([\d:.]+) --> ([\d:.]+)\n(.+)", video.with_suffix(".vtt").read_text(encoding="utf-8"))
    assert [text for _, _, text in shown] == ["查找人脸。", "识别人物。"]
    assert shown[0][1] == shown[1][0]
    # Something moves, the pointer at least.
    words = ["ffmpeg", "-v", "error", "-i", str(video), "-map", "0:v", "-f", "framemd5", "-"]
    frames = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    assert len({line.split(",")[-1] for line in frames if not line.startswith("#")}) > 5
    assert video.with_suffix(".webp").read_bytes()[8:12] == b"WEBP"


def test_captions_are_web_video_text() -> None:
    spoken = [Spoken("One.", 0.0, 2.5, Path()), Spoken("Two.", 62.5, 63.0, Path())]
    assert captions(spoken) == "WEBVTT\n\n00:00.000 --> 00:02.500\nOne.\n\n01:02.500 --> 01:03.000\nTwo.\n"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_each_tutorial_speaks_both_languages_and_names_what_there_is(file: Path) -> None:
    play = read(file)
    for scene in play.scenes:
        assert scene.says.keys() == set(LANGUAGES)
        for act in scene.acts:
            verb, _, target = act.partition(" ")
            if verb in ("click", "point", "wait") and not target.startswith("css="):
                key = target.partition("?")[0]
                assert all(Texts(language)(key) != key for language in LANGUAGES), act
    assert any(scene.looped for scene in play.scenes)
