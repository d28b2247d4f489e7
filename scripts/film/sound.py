"""The voice that reads the text, and its captions."""

import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# espeak-ng's voices and their words per minute.
VOICES = {"en": ("en-us", 150), "zh-CN": ("cmn", 170)}
_LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Spoken:
    """A spoken text with its start and end, in seconds of the video."""

    text: str
    begins: float
    ends: float
    voice: Path


def speak(text: str, language: str, target: Path) -> float:
    """Speak the text into a WAV file (mono, 16 bit). Return its duration in seconds."""
    voice, speed = VOICES[language]
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", str(target), text], check=True, timeout=_LIMIT_S)
    with wave.open(str(target)) as file:
        return float(file.getnframes() / file.getframerate())


def track(spoken: Sequence[Spoken], target: Path) -> None:
    """Write one WAV file in which each text begins at its time."""
    with wave.open(str(target), "wb") as out:
        written = 0
        for one in spoken:
            with wave.open(str(one.voice)) as file:
                if not written:
                    out.setparams(file.getparams())
                silence = max(0, round(one.begins * file.getframerate()) - written)
                out.writeframes(bytes(2 * silence) + file.readframes(file.getnframes()))
                written += silence + file.getnframes()


def captions(spoken: Sequence[Spoken]) -> str:
    """Return the captions as WebVTT."""
    return "\n\n".join(["WEBVTT", *(f"{_clock(one.begins)} --> {_clock(one.ends)}\n{one.text}" for one in spoken)]) + "\n"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):02}:{rest:06.3f}"
