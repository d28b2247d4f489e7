"""The packages' script starts agents again as their users: nothing that a user has said is heeded before that."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "installers" / "linux" / "running.sh"

# Stands in for the one that needs root.
SETPRIV = """#!/bin/sh
touch "{dropped}"
while :; do
    case "$1" in
    --reuid | --regid) shift 2 ;;
    --*) shift ;;
    *) break ;;
    esac
done
exec "$@"
"""
# A user's own program of a name that the script calls.
OF_THE_USER = """#!/bin/sh
[ -e "{dropped}" ] && echo user >"{said}" || echo root >"{said}"
echo "$MINE" "$@" >>"{said}"
"""


def program(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="Linux' packages")
@pytest.mark.parametrize("first", ["MINE=a word", "-u", "LANG=C"])
def test_what_a_user_put_into_their_environment_is_never_run_as_root(tmp_path: Path, first: str) -> None:
    said, kept = tmp_path / "said", tmp_path / "kept"
    names = {"dropped": tmp_path / "dropped", "said": said}
    program(tmp_path / "system" / "setpriv", SETPRIV.format(**names))
    for name in ("setsid", "setpriv"):
        program(tmp_path / "user" / name, OF_THE_USER.format(**names))
    kept.mkdir()
    (kept / "7.user").write_text("1001 1001\n")
    environment = [first, "MINE=a word", f"PATH={tmp_path / 'user'}:/usr/bin:/bin"]
    (kept / "7.environ").write_bytes("\0".join([*environment, ""]).encode())
    script = SCRIPT.read_text(encoding="utf-8").replace("kept=/run/ai-popup-upgrade", f"kept='{kept}'")
    done = subprocess.run(
        ["sh", "-ec", f"{script}\nstart_agents"],
        env={"PATH": f"{tmp_path / 'system'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert not kept.exists()
    if "=" in first:
        assert said.read_text() == "user\na word -f /usr/lib/ai-popup/ai-popup run\n"
    else:  # it is no variable: nothing is started, and that is said
        assert not said.exists() and "could not be started again for user 1001" in done.stdout
