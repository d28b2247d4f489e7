"""What the image leaves out and what its bill of materials says, without building it."""

import shutil
from pathlib import Path

import pytest

from installers.server import sbom, slim

ROOT = Path(__file__).parents[3]


def packages(folder: Path) -> Path:
    """A folder in which every pattern finds one file."""
    for pattern in (*slim.UNUSED, *slim.STRIPPED, *slim.OPENCV_OF_THE_INDEX):
        path = folder / pattern.replace("**", "some").replace("*", "x")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    (folder / "numpy" / "__init__.py").write_text("kept")
    return folder


@pytest.fixture(autouse=True)
def no_strip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr("installers.server.slim.subprocess.run", lambda words, **_: calls.append(words))
    return calls


def test_what_the_server_never_loads_is_removed(tmp_path: Path, no_strip: list[list[str]]) -> None:
    (tmp_path / "opencv").mkdir()
    found = packages(tmp_path / "packages")
    slim.slim(found, tmp_path / "opencv")
    left = {str(path.relative_to(found)) for path in found.rglob("*") if path.is_file()}
    assert "numpy/__init__.py" in left and "cv2" in left
    assert not [path for path in left if "intel_gpu" in path or path.endswith(".pyi")]
    [[program, *_, last]] = no_strip
    assert program == "strip" and last.endswith(".so")


def test_an_opencv_of_its_own_takes_the_place_of_the_index_one(tmp_path: Path) -> None:
    own = tmp_path / "opencv" / "cv2"
    own.mkdir(parents=True)
    (own / "cv2.abi3.so").write_text("new")
    found = packages(tmp_path / "packages")
    slim.slim(found, tmp_path / "opencv")
    assert (found / "cv2" / "cv2.abi3.so").read_text() == "new"
    assert not list(found.glob("opencv_python_headless*"))


def test_a_pattern_that_finds_nothing_is_out_of_date(tmp_path: Path) -> None:
    (tmp_path / "opencv").mkdir()
    found = packages(tmp_path / "packages")
    (found / "openvino" / "libs" / "cache.json").unlink()
    with pytest.raises(SystemExit, match=r"cache\.json"):
        slim.slim(found, tmp_path / "opencv")


def test_a_lock_gives_the_hashes_of_each_version() -> None:
    locked = sbom.locked((ROOT / "installers/locks/requirements-server.lock").read_text())
    [version] = [version for name, version in locked if name == "fastapi"]
    assert all(len(each) == 64 for each in locked["fastapi", version]) and locked["fastapi", version]
    assert len(locked) > 70
    assert all(locked.values())


def test_the_bill_says_where_each_part_comes_from(tmp_path: Path) -> None:
    metadata = tmp_path / "packages" / "Some_Package-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Name: Some.Package\nVersion: 1.0\nLicense-Expression: MIT\n")
    [package] = sbom.python(tmp_path / "packages", {("some-package", "1.0"): ["a" * 64]})
    assert (package["purl"], package["licenses"]) == ("pkg:pypi/some-package@1.0", [{"expression": "MIT"}])
    assert package["properties"] == [{"name": "ai-popup:locked-sha256", "value": "a" * 64}]
    [system] = sbom.debian("libc6\t2.41-12+deb13u1\tamd64\n", "debian-13")
    assert system["purl"] == "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=amd64&distro=debian-13"
    places = {
        "": {},
        "node_modules/@a/b": {"version": "2.0", "integrity": "sha512-x"},
        "node_modules/c": {"version": "1.0", "optional": True},
    }
    [page] = sbom.pages({"packages": places})
    assert (page["purl"], page["scope"]) == ("pkg:npm/%40a/b@2.0", "optional")


def test_the_same_parts_make_the_same_bill() -> None:
    parts = [{"bom-ref": "b", "name": "b"}, {"bom-ref": "a", "name": "a"}]
    assert sbom.bill("1.0", parts) == sbom.bill("1.0", parts[::-1])
    assert sbom.bill("1.0", parts)["serialNumber"] != sbom.bill("1.0", parts[:1])["serialNumber"]


def test_only_models_that_are_there_are_on_it(tmp_path: Path) -> None:
    shutil.copy(ROOT / "assets" / "models" / "manifest.toml", tmp_path)
    assert list(sbom.models(tmp_path)) == []
    (tmp_path / "centerface").mkdir()
    (tmp_path / "centerface" / "centerface.onnx").write_bytes(b"")
    [model] = sbom.models(tmp_path)
    assert model["name"] == "centerface/centerface.onnx" and len(model["hashes"][0]["content"]) == 64
