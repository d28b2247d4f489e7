"""Records a screen with its pointer, and cuts the recording into a video and a loop with ffmpeg."""

import subprocess
import time
from pathlib import Path

SIZE = (1280, 720)
RATE = 15
_LIMIT_S = 600
_FFMPEG = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]


class Camera:
    """Records a display from start to end."""

    def __init__(self, display: str, target: Path) -> None:
        grab = ["-f", "x11grab", "-draw_mouse", "1", "-framerate", str(RATE), "-video_size", "{}x{}".format(*SIZE), "-i", display]
        keep = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv444p"]
        command = ["ffmpeg", *_FFMPEG[2:], "-stats_period", "0.1", "-progress", "pipe:1", *grab, *keep, str(target)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._began = self._rolling()

    def _rolling(self) -> float:
        """Return the time of the first frame. Raises RuntimeError if there is none."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, value = line.strip().partition("=")
            if name == "out_time_us" and value.lstrip("-").isdigit() and int(value) > 0:
                return time.monotonic() - int(value) / 1e6
        raise RuntimeError("the screen can't be filmed")

    def now(self) -> float:
        """Return the seconds since the first frame."""
        return time.monotonic() - self._began

    def stop(self) -> None:
        self._process.communicate("q", timeout=_LIMIT_S)


def cut(filmed: Path, voice: Path, captions: Path, language: str, target: Path) -> None:
    """Write the whole as an MP4 that every browser plays: H.264, AAC, and the captions as a selectable track."""
    code = {"en": "eng", "zh-CN": "zho"}[language]
    inputs = ["-i", str(filmed), "-i", str(voice), "-i", str(captions)]
    video = ["-c:v", "libx264", "-preset", "slow", "-crf", "26", "-pix_fmt", "yuv420p", "-r", str(RATE)]
    sound = ["-c:a", "aac", "-b:a", "64k", "-c:s", "mov_text", "-metadata:s:a:0", f"language={code}", "-metadata:s:s:0", f"language={code}"]
    _run(*inputs, "-map", "0:v", "-map", "1:a", "-map", "2:s", *video, *sound, "-movflags", "+faststart", str(target))


def loop(filmed: Path, begins: float, ends: float, target: Path, *, width: int = 800, rate: int = 5) -> None:
    """Write a part as a small animated WebP without sound that plays twice: endless motion distracts."""
    part = ["-ss", f"{begins:.2f}", "-to", f"{ends:.2f}", "-i", str(filmed)]
    _run(*part, "-vf", f"fps={rate},scale={width}:-2:flags=lanczos", "-loop", "2", "-c:v", "libwebp_anim", "-quality", "45", str(target))


def _run(*words: str) -> None:
    subprocess.run([*_FFMPEG, *words], check=True, timeout=_LIMIT_S)
