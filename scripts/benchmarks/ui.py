"""The group `ui`: how soon the user sees results, on a library of 100,000 images, and the size of the pages."""

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts.benchmarks import api, browser, popup
from scripts.benchmarks.rows import ROOT, Row
from scripts.benchmarks.stage import running

IMAGES = 100_000
# No page of the desktop loads them. The first three are loaded by each member of a team, the last by those who run the server.
TEAM, ADMIN = ("team-", "teamPages-", "accountWays-"), ("adminPages-",)
# A desktop loads it once it joined a team.
JOINED = ("teamParts-",)
# The pages for signing in, and a member's account.
PROVIDER = ("providerWays-",)
ALBUMS, FACES = ("albumPages-",), ("facePages-",)  # loaded after the first page


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows; all of them are short."""
    yield from bundle(ROOT / "ui" / "dist")
    with (
        tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder,
        running(Path(folder), IMAGES) as (client, _),
    ):
        yield from api.rows(client)
        yield from browser.rows(client)
        yield from popup.rows(client)


def bundle(dist: Path) -> Iterator[Row]:
    """Yield the size of what a desktop loads, then of what is loaded besides: by a team's members, for signing in, and by single pages.

    Each file is compressed by itself; in 1,000 bytes.
    """
    files = [path for path in sorted(dist.rglob("*")) if path.is_file()]
    for name, most, chosen in (
        ("ui_bundle_kb", 252, [path for path in files if not path.name.startswith(TEAM + ADMIN + JOINED + ALBUMS + FACES + PROVIDER)]),
        ("ui_team_kb", 46, [path for path in files if path.name.startswith(TEAM)]),
        ("ui_provider_kb", 6, [path for path in files if path.name.startswith(PROVIDER)]),
        ("ui_joined_kb", 5, [path for path in files if path.name.startswith(JOINED)]),
        ("ui_admin_kb", 40, [path for path in files if path.name.startswith(ADMIN)]),
        ("ui_albums_kb", 10, [path for path in files if path.name.startswith(ALBUMS)]),
        ("ui_faces_kb", 7, [path for path in files if path.name.startswith(FACES)]),
    ):
        sizes = [len(gzip.compress(path.read_bytes(), 9)) / 1000 for path in chosen]
        yield Row(name, round(sum(sizes), 1), most, tuple(round(size, 1) for size in sizes))
