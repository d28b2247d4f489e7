"""Plays a tutorial, records it and cuts it: video, captions, voice, and the loop for the docs."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scripts.film.camera import Camera, cut, loop
from scripts.film.play import Play
from scripts.film.sound import Spoken, captions, speak, track

# Pause between spoken texts.
_BREATH_S = 0.5


def film(play: Play, language: str, display: str, act: Callable[[str], None], target: Path) -> Path:
    """Perform it on the display; write NAME.LANGUAGE.mp4, .vtt and, for a looped part, .webp into `target`. Return the video."""
    target.mkdir(parents=True, exist_ok=True)
    result = target / f"{play.name}.{language}.mp4"
    with tempfile.TemporaryDirectory(prefix="ai-popup-film-") as scratch:
        work = Path(scratch)
        lengths = [speak(scene.says[language], language, work / f"{number}.wav") for number, scene in enumerate(play.scenes)]
        camera = Camera(display, work / "filmed.mkv")
        spoken: list[Spoken] = []
        looped: list[float] = []
        try:
            begins = camera.now()
            for number, scene in enumerate(play.scenes):
                for told in scene.acts:
                    act(told)
                time.sleep(max(0.0, begins + lengths[number] + _BREATH_S - camera.now()))
                ends = camera.now()
                spoken.append(Spoken(scene.says[language], begins, ends, work / f"{number}.wav"))
                looped += [begins, ends] if scene.looped else []
                begins = ends
        finally:
            camera.stop()
        track(spoken, work / "voice.wav")
        subtitles = result.with_suffix(".vtt")
        subtitles.write_text(captions(spoken), encoding="utf-8")
        cut(work / "filmed.mkv", work / "voice.wav", subtitles, language, result)
        if looped:
            loop(work / "filmed.mkv", looped[0], looped[-1], result.with_suffix(".webp"))
    return result
