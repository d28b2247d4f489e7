"""The server's image, built by its own Dockerfile and run: it serves, scans and stops without network, rights or a writable root."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installers.server.build_image import DOCKERFILE, Buildah, size
from tests.packages.bare_system import kept_archive
from tests.packages.container import USER, Container

ROOT = Path(__file__).parents[3]
NEEDED = ("buildah", "mmdebstrap", "netavark", "unshare", "nsenter", "ip")
# Releases are built with the slim OpenCV; the package index's is 139 MB larger, and takes minutes less. Measured with it: 565 MB.
MOST_BYTES = {"slim": 450e6, "wheel": 568e6}
OPENCV = os.environ.get("AI_POPUP_IMAGE_OPENCV", "wheel")

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """On the disk: the storage of a build is larger than what fits in memory."""
    missing = [name for name in NEEDED if not any((Path(place) / name).is_file() for place in (*_path(), "/usr/lib/podman"))]
    assert missing == [], f"not installed: {missing} (scripts/setup/system.py lists the packages)"
    made = ROOT / "build" / "image"
    if made.exists():  # a run that was killed left it
        Buildah(made).close()
        shutil.rmtree(made)
    made.mkdir(parents=True)
    yield made
    Buildah(made).close()
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def buildah(folder: Path) -> Buildah:
    buildah = Buildah(folder)
    buildah.base(kept_archive(ROOT))
    buildah.build(ROOT, [f"OPENCV={OPENCV}"])
    return buildah


@pytest.fixture(scope="module")
def root(buildah: Buildah) -> Path:
    return buildah.unpacked()


@pytest.fixture(scope="module")
def config(buildah: Buildah) -> dict[str, Any]:
    described = json.loads(buildah("inspect", "--type=image", "localhost/ai-popup:latest"))["Docker"]["config"]
    assert isinstance(described, dict)
    return described


@pytest.fixture
def container(root: Path, config: dict[str, Any], folder: Path) -> Iterator[Container]:
    place = folder / "run"
    place.mkdir()
    container = Container(root, config, place, {"AI_POPUP__LOGS__TARGET": "stdout"})
    yield container
    container.close()


def test_it_serves_scans_and_stops(container: Container, config: dict[str, Any]) -> None:
    from agent.features.models.model_store import ModelStore

    assert config["User"] == f"{USER}:{USER}"
    container.start()
    container.until_healthy(300)
    # Nothing of it can be changed, and it has no way out.
    assert container.run("touch", "/opt/ai-popup/new").returncode != 0
    assert "CapBnd:\t0000000000000000" in container.run("cat", "/proc/self/status").stdout
    assert container.run("cat", "/proc/net/route").stdout.count("\n") == 1

    shutil.copy(ModelStore(ROOT / "build" / "cache" / "models").fetch("samples") / "obama.jpg", container.photos)
    assert container.run("ai-popup", "folders", "add", "/mnt").returncode == 0
    until = time.monotonic() + 300
    while (found := _found(container)) != (1, 1):
        assert time.monotonic() < until, (found, container.log.read_text())
        time.sleep(0.2)

    assert container.stop() == 0, container.log.read_text()
    container.start()
    container.until_healthy(300)
    assert _found(container) == (1, 1)
    assert container.stop() == 0
    lines = [json.loads(line) for line in container.log.read_text().splitlines() if line.startswith("{")]
    assert lines and not [line for line in lines if line.get("level") in ("error", "critical")]


def test_it_is_small_enough(root: Path) -> None:
    found = size(root)
    print(f"{found / 1e6:.1f} MB with OpenCV {OPENCV}")
    assert found <= MOST_BYTES[OPENCV]


def test_nothing_in_it_gains_rights_or_belongs_to_its_user(root: Path) -> None:
    own, raising = [], []
    for path in root.rglob("*"):
        facts = path.lstat()
        if stat.S_ISREG(facts.st_mode) and facts.st_mode & (stat.S_ISUID | stat.S_ISGID):
            raising.append(path)
        if facts.st_uid == USER:
            own.append(str(path.relative_to(root)))
    assert raising == []
    assert sorted(own) == ["srv/uploads", "srv/worker-keys", "var/lib/ai-popup"]


def test_no_desktop_package_and_no_installer_is_in_it(root: Path) -> None:
    [packages] = root.glob("opt/ai-popup/lib/python3*/site-packages")
    there = {path.name.lower() for path in packages.iterdir()}
    assert {"procrastinate", "openvino", "cv2"} <= there
    assert there.isdisjoint({"pyside6", "webview", "pystray", "mss", "pip", "setuptools", "av"})
    assert [name for name in ("apt-get", "pip", "perl", "npm", "node", "gcc") if (root / "usr/bin" / name).exists()] == []


def test_its_bill_names_all_that_is_installed(root: Path) -> None:
    bill = json.loads((root / "opt/ai-popup/sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    by_kind: dict[str, set[str]] = {}
    for each in bill["components"]:
        by_kind.setdefault(each.get("purl", "model:/").split(":")[1].split("/")[0], set()).add(f"{each['name']} {each['version']}")
    [packages] = root.glob("opt/ai-popup/lib/python3*/site-packages")
    installed = {re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in packages.glob("*.dist-info")}
    assert {name.split()[0] for name in by_kind["pypi"]} == installed
    lock = (ROOT / "installers/locks/requirements-server.lock").read_text()
    assert f"openvino=={next(name for name in by_kind['pypi'] if name.startswith('openvino ')).split()[1]} " in lock
    assert {name.split()[0] for name in by_kind["deb"]} >= {"libc6", "python3.13", "tini"}
    assert any(name.startswith("svelte ") for name in by_kind["npm"])
    models = {each["name"] for each in bill["components"] if each["type"] == "machine-learning-model"}
    assert models >= {"centerface/centerface.onnx", "mobilefacenet/MobileFaceNet.tflite"}


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run([Path(sys.executable).with_name("hadolint"), ROOT / DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def _found(container: Container) -> tuple[int, int]:
    status = container.says("ai-popup", "status", "--json")
    return status["images"], status["faces"]


def _path() -> list[str]:
    return [*os.environ["PATH"].split(":"), "/usr/sbin"]
