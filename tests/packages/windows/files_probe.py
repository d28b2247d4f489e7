"""Runs on Windows' own Python: does to files what only Windows has, with the program's own functions, and prints what came of it."""

import ctypes
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from agent.domain.errors import ImageUnreadable
from agent.features.redaction.copy_files import CopyFileStore
from agent.features.redaction.options import RedactionOptions
from agent.infrastructure.core.files import replace_blocked_by
from agent.infrastructure.core.photo_files import open_photo
from agent.infrastructure.core.user_paths import typed_path
from agent.infrastructure.sources.folder.folder_observer import Observation
from agent.infrastructure.sources.folder.folder_scan import missing, walk_images

VERBATIM = "\\\\?\\"
DEEP = "\\".join(["a folder with a name that takes its time"] * 8)
ODD = ("CON.jpg", "nul.jpg", "2024.\\a.jpg", "blank \\b.jpg", "2024\\twin.jpg", f"{DEEP}\\deep.jpg")
READ, READ_SHARED, EXISTING = 0x80000000, 0x1, 3
SOON_S = 60


def kernel() -> Any:
    library = getattr(ctypes, "WinDLL")("kernel32")  # noqa: B009 - there is none on other systems, which import this for its names
    library.CreateFileW.restype = ctypes.c_void_p
    return library


def read(path: str) -> str:
    with os.fdopen(open_photo(path), "rb") as file:
        return file.read().decode()


def odd_names(top: Path) -> dict[str, object]:
    for name in ODD:
        path = f"{VERBATIM}{top}\\{name}"
        os.makedirs(path.rpartition("\\")[0], exist_ok=True)  # noqa: PTH103 - a Path would read such names otherwise
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(name)
    found = [seen.path for seen in walk_images([str(top)])]
    planned = CopyFileStore().plan([str(top)], str(top.with_name("out")), RedactionOptions(), lambda _: None)
    in_place = CopyFileStore().plan([str(top)], None, RedactionOptions(), lambda _: None)
    return {
        "copies": [len({each.target for each in copies}) for copies in (planned, in_place)],
        "names": [path[len(str(top)) + 1 :] for path in found],
        "content": [read(path) for path in found],
        "missing": missing(found),
    }


def held(photo: Path) -> dict[str, object]:
    photo.write_text("photo", encoding="utf-8")
    found: dict[str, object] = {}
    for name, share in (("alone", 0), ("viewed", READ_SHARED)):
        handle = ctypes.c_void_p(kernel().CreateFileW(str(photo), READ, share, None, EXISTING, 0, None))
        try:
            found[name] = [read(str(photo)), replace_blocked_by(photo)]
        except ImageUnreadable as error:
            found[name] = [list(error.params), replace_blocked_by(photo)]
        kernel().CloseHandle(handle)
    photo.chmod(0o444)
    found["read-only"] = replace_blocked_by(photo)
    photo.chmod(0o666)
    descriptor = open_photo(str(photo))
    renamed = photo.rename(photo.with_name("renamed.jpg"))
    renamed.unlink()
    found["renamed"] = os.read(descriptor, 9).decode()
    os.close(descriptor)
    return found


def spellings(folder: Path) -> list[str]:
    folder.mkdir()
    short = ctypes.create_unicode_buffer(300)
    kernel().GetShortPathNameW(str(folder), short, len(short))
    typed = (short.value, f"{VERBATIM}{folder}", str(folder).upper())
    return [path for path in typed if path != str(folder) and typed_path(path) != str(folder)]


def lost_events(folder: Path) -> bool:
    """Watch a folder of which the system tells nothing but that something changed, as it does if there was too much to tell."""
    from watchdog.observers import winapi

    folder.mkdir()
    lost = threading.Event()
    winapi.ReadDirectoryChangesExW = None  # Wine has none
    winapi.ReadDirectoryChangesW = lambda *_: time.sleep(0.1)
    observation = Observation(lambda _: None, lost.set)
    observation.start(str(folder), recursive=True, poll_s=None)
    told = lost.wait(SOON_S)
    observation.stop()
    return told


def main() -> None:
    top = Path(sys.argv[1])
    top.mkdir()
    facts = {
        "odd": odd_names(top / "odd"),
        "held": held(top / "held.jpg"),
        "misread": spellings(top / "A folder of photos"),
        "lost": lost_events(top / "many"),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
