"""The program as its Debian package runs it, with an announced update, for screenshots. No update server is contacted."""

import base64
import contextlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from agent.domain.errors import UpdateRolledBack
from agent.features.updates.manifest import FileEntry
from agent.features.updates.memory import MemoryFile, Offer, ToldError
from agent.features.updates.updater import this_platform
from agent.infrastructure.core.package_info import BUILD_FILE, Build, PackageKind
from agent.infrastructure.core.paths import AppPaths
from scripts.program import started

VERSION = "0.2.0"
_NEWS = {
    "en": "Photos open faster.\nThe popup can be moved to another screen.",
    "zh-CN": "照片打开更快。\n弹窗可以移到另一个屏幕。",
}
_ADDRESS = "https://updates.invalid"
_PROGRAM = """
import sys
from pathlib import Path
import agent.infrastructure.core.package_info
folder = Path(sys.argv.pop(1))
agent.infrastructure.core.package_info.resource = lambda _: folder
from agent.__main__ import main
sys.exit(main())
"""


def packaged_agent(paths: AppPaths, word: Path, *options: str) -> contextlib.AbstractContextManager["subprocess.Popen[bytes]"]:
    """The agent of the home, which checked for updates a moment ago; `word` is a folder for its packager's message."""
    build = Build(kind=PackageKind.DEB, update_address=_ADDRESS, update_key=base64.b64encode(bytes(32)).decode())
    word.mkdir()
    (word / BUILD_FILE).write_text(build.model_dump_json(), encoding="utf-8")
    MemoryFile(paths.updates).change(checked_at=datetime.now(UTC))
    return started(sys.executable, "-c", _PROGRAM, str(word), "run", *options)


def announce(paths: AppPaths) -> None:
    """Announce another, downloaded version; the agent reads it when the settings of updates change."""
    name = f"ai-popup_{VERSION}_amd64.deb"
    file = FileEntry(kind=PackageKind.DEB.value, platform=this_platform(), address=f"{_ADDRESS}/{name}", size=1, sha256="0" * 64)
    paths.downloads.mkdir(parents=True, exist_ok=True)
    (paths.downloads / name).touch()
    MemoryFile(paths.updates).change(offer=Offer(version=VERSION, channel="stable", news=_NEWS, file=file))


def take_back(paths: AppPaths) -> None:
    """Record that the version was installed and did not start."""
    MemoryFile(paths.updates).change(offer=None, outcome=ToldError.of(UpdateRolledBack(version=VERSION)))
