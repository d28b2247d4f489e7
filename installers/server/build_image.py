"""Builds the server's image without Docker: `build_image.py FOLDER [--base ARCHIVE] [--opencv wheel]`, as root on Debian, with buildah.

FOLDER receives buildah's storage, and the image's root as a folder; it may be removed after `build_image.py FOLDER --close`. Without an
archive of a Debian system, mmdebstrap makes one. docs/operate/compose.md says how Docker builds the same file.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DOCKERFILE = Path("installers/server/Dockerfile")
BASE, IMAGE = "localhost/ai-popup-base", "localhost/ai-popup:latest"
# Certificates that this machine trusts besides Debian's: a company's proxy, for instance.
_OWN_AUTHORITIES = Path("/usr/local/share/ca-certificates")
_LIMIT_S = 3600


class Buildah:
    """Images in a storage of their own; nothing of the system's is read or changed."""

    def __init__(self, folder: Path) -> None:
        places = ["--root", str(folder / "storage"), "--runroot", str(folder / "running")]
        self._own = ["buildah", *places, "--storage-driver", "overlay" if layers_mount(folder) else "vfs"]

    def __call__(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run([*self._own, *words], check=False, capture_output=True, text=True, timeout=_LIMIT_S, cwd=cwd)
        if done.returncode:
            raise SystemExit(f"buildah {words[0]} failed:\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}")
        return done.stdout.strip()

    def base(self, archive: Path) -> None:
        """Make the base image of an archive of a Debian system."""
        container = self("from", "scratch")
        self("add", "--quiet", container, str(archive), "/")
        if _OWN_AUTHORITIES.is_dir() and any(_OWN_AUTHORITIES.iterdir()):
            self("add", "--quiet", container, str(_OWN_AUTHORITIES), str(_OWN_AUTHORITIES))
        self("commit", "--quiet", "--rm", container, BASE)

    def build(self, checkout: Path, arguments: Sequence[str]) -> None:
        """Build the Dockerfile on that base. The network is this machine's; a sandbox may forbid to raise limits, so they stay."""
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        kept = [f"--ulimit={name}={resource.getrlimit(number)[1]}" for name, number in limits.items()]
        chosen = [f"--build-arg={each}" for each in (f"BASE={BASE}", *arguments)]
        how = ["--isolation=chroot", "--network=host", "--pull=never", "--format=docker", f"--file={DOCKERFILE}", f"--tag={IMAGE}"]
        self("build", *how, *kept, *chosen, ".", cwd=checkout)

    def unpacked(self) -> Path:
        """Return the image's root as a folder, until `close`."""
        return Path(self("mount", self("from", IMAGE)))

    def close(self) -> None:
        """Unmount what is mounted, so that the folder can be removed."""
        self("umount", "--all")


def layers_mount(folder: Path) -> bool:
    """Return whether the system lays folders over each other here; otherwise each step of a build copies the whole root."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        root = Path(place)
        for name in ("lower", "upper", "work", "merged"):
            (root / name).mkdir()
        how = f"lowerdir={root / 'lower'},upperdir={root / 'upper'},workdir={root / 'work'}"
        mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", how, root / "merged"], check=False, capture_output=True)
        if mounted.returncode == 0:
            subprocess.run(["umount", root / "merged"], check=True)
        return mounted.returncode == 0


def size(root: Path) -> int:
    """Return the bytes of all files, those with several names once, as the sum of an image's layers."""
    seen: dict[tuple[int, int], int] = {}
    for path in root.rglob("*"):
        facts = path.lstat()
        if not path.is_dir():
            seen[facts.st_dev, facts.st_ino] = facts.st_size
    return sum(seen.values())


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", type=Path, help="a Debian system as a tar archive")
    parser.add_argument("--opencv", choices=["slim", "wheel"], default="slim")
    parser.add_argument("--close", action="store_true", help="only unmount what an earlier call left mounted")
    words = parser.parse_args()
    if words.close:
        Buildah(words.folder).close()
        return 0
    words.folder.mkdir(parents=True, exist_ok=True)
    archive = words.base
    if archive is None:
        archive = words.folder / "base.tar"
        made = ["mmdebstrap", "--variant=minbase", "--dpkgopt=force-unsafe-io", "trixie", str(archive)]
        subprocess.run(made, check=True, timeout=_LIMIT_S)
    buildah = Buildah(words.folder)
    buildah.base(archive)
    buildah.build(CHECKOUT, [f"OPENCV={words.opencv}"])
    root = buildah.unpacked()
    print(f"{root}: {size(root) / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
