"""Builds the disk image of the .app that PyInstaller built on a Mac: `python -m installers.macos.build APP OUT`.

Signed and notarised with the environment's MACOS_SIGN_IDENTITY (in an open keychain), and MACOS_NOTARY_KEY (the text of a
.p8 file), MACOS_NOTARY_KEY_ID and MACOS_NOTARY_ISSUER. Without them it is built all the same, and a note says how macOS will react.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from agent import __version__
from installers.build_info import FOLDER, write_build
from installers.macos.quick_actions import write_quick_actions

HERE = Path(__file__).parent
NAME = "AI Popup"
ENTITLEMENTS = HERE / "entitlements.plist"
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # for one kind of processor, for several
_LIMIT_S = 3600  # Apple's answer may take long

Run: TypeAlias = Callable[[Sequence[str]], object]


def run(command: Sequence[str]) -> None:
    """Run the command. Raises CalledProcessError."""
    subprocess.run(command, check=True, timeout=_LIMIT_S, stdin=subprocess.DEVNULL)


def dmg(app: Path, out: Path, scratch: Path, environ: Mapping[str, str], *, version: str = __version__, run: Run = run) -> Path:
    """Create the disk image of `app` below the folder `out`. Raises CalledProcessError."""
    inside = scratch / "image"
    packed = inside / f"{NAME}.app"
    shutil.copytree(app, packed, symlinks=True)
    resources = packed / "Contents" / "Resources"
    shutil.copytree(HERE / "zh-Hans.lproj", resources / "zh-Hans.lproj")
    write_build(resources / FOLDER, "dmg", environ)
    sign(packed, environ, run)
    write_quick_actions(inside / "Finder Quick Actions")
    (inside / "Applications").symlink_to("/Applications")
    out.mkdir(parents=True, exist_ok=True)
    image = out / f"ai-popup-{version}-macos-arm64.dmg"
    run(["hdiutil", "create", "-volname", NAME, "-srcfolder", str(inside), "-format", "ULMO", "-ov", str(image)])
    notarise(image, scratch, environ, run)
    return image


def sign(app: Path, environ: Mapping[str, str], run: Run) -> None:
    """Sign inner code first, as the outer signature seals it. Without an identity: ad hoc, which Apple's chips require."""
    identity = environ.get("MACOS_SIGN_IDENTITY")
    if not identity:
        print("Not signed: MACOS_SIGN_IDENTITY is not set. macOS will say that it can't check who made this.")
        run(["codesign", "--force", "--deep", "--sign", "-", str(app)])
        return
    how = ["codesign", "--force", "--timestamp", "--options", "runtime", "--sign", identity]
    main = app / "Contents" / "MacOS" / "ai-popup"
    for file in sorted((app / "Contents").rglob("*")):
        if file != main and _is_code(file):
            run([*how, str(file)])
    run([*how, "--entitlements", str(ENTITLEMENTS), str(app)])


def _is_code(file: Path) -> bool:
    """Return whether it is a library or a program, whatever its name: Apple requires each to be signed."""
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(4) in _MACH_O


def notarise(image: Path, scratch: Path, environ: Mapping[str, str], run: Run) -> None:
    key, key_id, issuer = (environ.get(f"MACOS_NOTARY_{name}") for name in ("KEY", "KEY_ID", "ISSUER"))
    identity = environ.get("MACOS_SIGN_IDENTITY")
    if not (identity and key and key_id and issuer):
        print("Not notarised: identity or notary key are not set. macOS will refuse the first start until it is allowed in its settings.")
        return
    run(["codesign", "--timestamp", "--sign", identity, str(image)])
    file = scratch / "notary.p8"
    file.touch(mode=0o600)
    file.write_text(key, encoding="ascii")
    run(["xcrun", "notarytool", "submit", str(image), "--wait", "--key", str(file), "--key-id", key_id, "--issuer", issuer])
    run(["xcrun", "stapler", "staple", str(image)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", type=Path)
    parser.add_argument("out", type=Path)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print(dmg(words.app, words.out, Path(scratch), os.environ))


if __name__ == "__main__":
    main()
