"""`try_opencv.py FOLDER NAME...`: imports OpenCV from the folder, looks for the names, and uses what its build may leave out."""

import re
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import cv2
import numpy as np
from numpy.typing import NDArray

# Lossless round trip; the other formats lose a little.
_EXACT = (".png", ".bmp", ".tiff")
_LOSSY = (".jpg", ".webp")
_DEEP = (".png", ".tiff")  # with sixteen bits
_LOST = 8.0


def main() -> int:
    folder, *names = sys.argv[1:]
    if not Path(cv2.__file__).is_relative_to(folder):
        print(f"OpenCV comes from {cv2.__file__}", file=sys.stderr)
        return 1
    faults = [f"cv2.{name} is not there" for name in names if not hasattr(cv2, name) and not name.endswith("_")]
    # Built without an assembler it reads JPEG slowly, without a warning.
    if not re.search(r"^ +JPEG:.*\n +SIMD Support Request: .*\n +SIMD Support: +YES", cv2.getBuildInformation(), re.MULTILINE):
        faults.append("its JPEG decoder is the slow one: is nasm installed?")
    ramp = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3)
    for ending in (*_EXACT, *_LOSSY):
        faults += _journey(ending, ramp.astype(np.uint8))
    for ending in _DEEP:
        faults += _journey(ending, (ramp * 257).astype(np.uint16))
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


def _journey(ending: str, picture: NDArray[np.uint8 | np.uint16]) -> list[str]:
    """Return what is wrong with the picture after it was written and read again."""
    written, data = cv2.imencode(ending, picture)
    read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if written else None
    lost = np.inf if read is None or read.shape != picture.shape else float(np.abs(read.astype(float) - picture).mean())
    return [f"{ending} of {picture.dtype} does not come back as it went"] if lost > (0 if ending in _EXACT else _LOST) else []


if __name__ == "__main__":
    sys.exit(main())
