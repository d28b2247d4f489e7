"""OpenCV for the Linux packages: only what the agent calls, without the video, AVIF and linear algebra in the index's wheel.

It is built once from the source distribution in installers/locks/requirements-opencv.lock, and cached under build/cache until that file or
the options here change. docs/decisions/0021-what-the-package-carries.md lists the savings.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGE = "opencv-python-headless"
LOCK = "installers/locks/requirements-opencv.lock"
# Differences from the wheel: everything else, including the use of newer processors' instructions, is as its makers chose.
OPTIONS = {
    "BUILD_LIST": "core,imgproc,imgcodecs,python3",
    # Formats that the agent writes or reads with OpenCV: JPEG, PNG, WebP, TIFF, BMP. Others would only add attack surface.
    **dict.fromkeys(("WITH_AVIF", "WITH_OPENEXR", "WITH_OPENJPEG", "WITH_JASPER", "WITH_JPEGXL", "WITH_GDAL", "WITH_GDCM"), "OFF"),
    **dict.fromkeys(("WITH_IMGCODEC_GIF", "WITH_IMGCODEC_HDR", "WITH_IMGCODEC_PFM", "WITH_IMGCODEC_PXM", "WITH_IMGCODEC_SUNRASTER"), "OFF"),
    # None of these is called.
    **dict.fromkeys(("WITH_FFMPEG", "WITH_GSTREAMER", "WITH_V4L", "WITH_1394", "WITH_QT", "WITH_GTK", "WITH_VTK", "WITH_OPENCL"), "OFF"),
    **dict.fromkeys(("WITH_LAPACK", "WITH_EIGEN", "WITH_PROTOBUF", "WITH_FLATBUFFERS", "WITH_ITT", "WITH_OPENMP", "WITH_TBB"), "OFF"),
    # These two are downloaded during the build, without any lock.
    **dict.fromkeys(("WITH_IPP", "WITH_UNIFONT"), "OFF"),
    # Linked into the one library, so that the system's are not needed.
    **dict.fromkeys(("BUILD_JPEG", "BUILD_PNG", "BUILD_TIFF", "BUILD_WEBP", "BUILD_ZLIB"), "ON"),
    "PYTHON3_LIMITED_API": "ON",  # as in the wheel; its set-up finds the built library through this
    **dict.fromkeys(("BUILD_TESTS", "BUILD_PERF_TESTS", "BUILD_EXAMPLES", "BUILD_opencv_apps", "BUILD_JAVA", "BUILD_DOCS"), "OFF"),
}
_NAMES = re.compile(r"\bcv2\.(\w+)")
_PINNED = re.compile(r"^[a-z].*(?:\n    .*)*", re.MULTILINE)
# In its setup.py: without type stubs, which need all modules, the build would fail at the end.
_STUBS_WANTED = {
    '[ r"python/cv2/py.typed" ]': "[]",
    'rearrange_cmake_output_data["cv2.typing"] = ["python/cv2" + r"/typing/.*\\.py"]': "pass",
}
_LIMIT_S = 3600


def kept(checkout: Path) -> Path | None:
    """Return the folder from which OpenCV can be imported, if it was built before."""
    folder = _folder(checkout)
    return folder if folder.is_dir() else None


def slim_opencv(checkout: Path) -> Path:
    """Return it, built if necessary (ten minutes on two cores). Needs a C++ compiler and nasm. Raises subprocess.SubprocessError."""
    folder = _folder(checkout)
    if not folder.is_dir():
        print("OpenCV is built once, ten minutes or more on two cores", flush=True)
        work = checkout / "build" / "opencv-work"
        shutil.rmtree(work, ignore_errors=True)
        _build(checkout, work)
        check(work / "whole", names(checkout / "agent"))
        folder.parent.mkdir(parents=True, exist_ok=True)
        (work / "whole").rename(folder)
        shutil.rmtree(work)
    return folder


def names(sources: Path) -> set[str]:
    """Return every OpenCV name used in the Python files below `sources`."""
    return {name for file in sources.rglob("*.py") for name in _NAMES.findall(file.read_text(encoding="utf-8"))}


def check(folder: Path, wanted: Iterable[str]) -> None:
    """Have another process import OpenCV from `folder` and use it as the agent does. Raises subprocess.SubprocessError."""
    command = [sys.executable, str(Path(__file__).with_name("try_opencv.py")), str(folder.resolve()), *sorted(wanted)]
    subprocess.run(command, check=True, timeout=60)


def _build(checkout: Path, work: Path) -> None:
    work.mkdir(parents=True)
    source, tools = work / "source.txt", work / "tools.txt"
    blocks = _PINNED.findall((checkout / LOCK).read_text(encoding="utf-8"))
    source.write_text("\n".join(block for block in blocks if block.startswith(f"{PACKAGE}==")), encoding="utf-8")
    tools.write_text("\n".join(block for block in blocks if not block.startswith(f"{PACKAGE}==")), encoding="utf-8")
    # A separate environment: the program's needs none of OpenCV's build tools.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(work / "venv")], check=True, timeout=_LIMIT_S)
    environment = {
        **os.environ,
        "CMAKE_ARGS": " ".join(f"-D{name}={value}" for name, value in OPTIONS.items()),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1),
        # It runs on other machines than this one, so local compiler flags must not apply.
        **dict.fromkeys(("CFLAGS", "CXXFLAGS"), ""),
        "LDFLAGS": "-Wl,--strip-all",
        "TMPDIR": str(work),
    }
    environment.pop("PYTHONPATH", None)
    pip = [sys.executable, "-m", "pip", "--python", str(work / "venv" / "bin" / "python")]
    locked = ["--require-hashes", "--no-deps"]
    subprocess.run([*pip, "install", *locked, "-r", str(tools)], env=environment, check=True, timeout=_LIMIT_S)
    # Its own list of build requirements names old versions; the locked ones work, and stay the same.
    here = ["--no-build-isolation", "--no-cache-dir"]
    download = [*pip, "download", *locked, *here, "--no-binary", PACKAGE, "--dest", str(work), "-r", str(source)]
    subprocess.run(download, env=environment, check=True, timeout=_LIMIT_S)
    [archive] = work.glob("*.tar.gz")
    shutil.unpack_archive(archive, work, filter="data")
    unpacked = work / archive.name.removesuffix(".tar.gz")
    _want_no_stubs(unpacked / "setup.py")
    command = [*pip, "wheel", "--no-deps", *here, "--wheel-dir", str(work), str(unpacked)]
    subprocess.run(command, env=environment, check=True, timeout=_LIMIT_S)
    [wheel] = work.glob(f"{PACKAGE.replace('-', '_')}-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", str(work / "whole"), str(wheel)], check=True, timeout=_LIMIT_S)


def _want_no_stubs(setup: Path) -> None:
    text = setup.read_text(encoding="utf-8")
    for wanted, instead in _STUBS_WANTED.items():
        if wanted not in text:
            raise SystemExit(f"{setup.name} of {PACKAGE} is not as it was: no {wanted}")
        text = text.replace(wanted, instead)
    setup.write_text(text, encoding="utf-8")


def _folder(checkout: Path) -> Path:
    told = f"{sys.version} {platform.machine()} {OPTIONS}".encode() + (checkout / LOCK).read_bytes()
    return checkout / "build" / "cache" / f"opencv-{hashlib.sha256(told).hexdigest()[:16]}"
