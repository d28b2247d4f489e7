"""The group `odd`: files of public suites, scanned and covered twice in fresh engines whose memory was initialised differently.

Both runs must give the same result, byte for byte. The first copy is decoded once more here, by Pillow, and checked
with another detector, if its model is there: no covered person may be recognised.
In animations and multi-page files, the first picture is covered; frames are counted.
"""

import asyncio
import hashlib
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

from agent.app.engines import model_files
from agent.domain.errors import AgentError, ImageError, ModelMissing, RedactionError
from agent.domain.face import Analysis, Face
from agent.domain.identity_matching import trust
from agent.domain.image import Recipe
from agent.domain.redaction import Cover, Look, cover_of
from agent.features.models.model_store import ModelStore
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.renderer import Render
from agent.inference.vision.redactor import SOLID, covered
from agent.infrastructure.core.settings import EngineSettings
from scripts.benchmarks.rows import Row, at_most
from scripts.benchmarks.stage import fetched

FIRST, SECOND = Recipe("centerface-2", "mobilefacenet-2"), Recipe("yunet-1", "mobilefacenet-2")
# Each engine scans so many files, then a fresh one continues.
FRESH = 60
# The initial content of allocated memory: a decoder that leaves any of it shows in the copy.
HEAPS = ("glibc.malloc.perturb=85:glibc.malloc.tcache_count=0", "glibc.malloc.perturb=170:glibc.malloc.tcache_count=0")
LOSES = 24  # of 255: mean difference between a lossy format's covered pixels and the cover's colour
SAME_PLACE = 0.3  # intersection over union of a covered face and one found in the copy
APART = 1.05  # two faces farther apart than this are different people's


@dataclass(frozen=True, slots=True)
class End:
    """The result for one file."""

    said: str  # "ok" or an error code
    faces: int = 0
    frames: int = 0
    size: tuple[int, int] = (0, 0)
    copy: str = ""  # its SHA-256, or an error code
    wrong: tuple[str, ...] = ()  # kinds of faults of the copy


def rows(folder: Path) -> Iterator[Row]:
    """Yield the rows; findings are printed on standard error."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    _, models = fetched()
    ends: list[Sequence[End]] = []
    for heap in HEAPS:
        found: list[End] = []
        for first in range(0, len(files), FRESH):
            found += asyncio.run(_each(files[first : first + FRESH], models, heap, look=not ends))
            print(f"{len(found)} of {len(files)}", file=sys.stderr, end="\r", flush=True)
        ends.append(found)
    counts: dict[str, list[str]] = {"differ": [], "unnamed": [], "size": [], "seen": [], "not_flat": []}
    for path, one, other in zip(files, *ends, strict=True):
        differs = (one.said, one.faces, one.frames, one.size, one.copy) != (other.said, other.faces, other.frames, other.size, other.copy)
        for kind in (*(["differ"] if differs else []), *one.wrong):
            counts[kind].append(str(path.relative_to(folder)))
    for kind, names in counts.items():
        for name in names:
            print(f"{kind}: {name}", file=sys.stderr)
        yield at_most(f"odd_{kind}", float(len(names)), 0, [float(len(files))])


async def _each(files: Sequence[Path], models: ModelStore, heap: str, *, look: bool) -> list[End]:
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        pool = EnginePool(
            EngineSettings(workers=1),
            model_files(models),
            ComputeSetup(converted=models.folder / "ir", cache=Path(folder) / "cache"),
            environment={"GLIBC_TUNABLES": heap},
        )
        try:
            return [await _one(pool, path, Path(folder) / "copy", look=look) for path in files]
        finally:
            await pool.close()


async def _one(pool: EnginePool, path: Path, copy: Path, *, look: bool) -> End:
    try:
        seen = await pool.analyse(Analyse(str(path), FIRST, thorough=True))
    except AgentError as error:
        return End(error.code, wrong=() if isinstance(error, ImageError) else ("unnamed",))
    size = (seen.width, seen.height)
    covers = tuple(cover_of(face, Look()) for face in seen.faces)
    try:
        await pool.render(Render(str(path), str(copy), covers))
    except AgentError as error:
        unnamed = () if isinstance(error, ImageError | RedactionError) else ("unnamed",)
        return End("ok", len(seen.faces), seen.frames, size, error.code, unnamed)
    wrong = await _wrong(pool, copy, seen, covers) if look else ()
    return End("ok", len(seen.faces), seen.frames, size, _taken(copy), wrong)


def _taken(copy: Path) -> str:
    """Return its SHA-256 and delete it."""
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    copy.unlink()
    return digest


async def _wrong(pool: EnginePool, copy: Path, seen: Analysis, covers: Sequence[Cover]) -> tuple[str, ...]:
    """Return the objections of another decoder and another detector to a copy."""
    plain = copy.with_suffix(".png")
    if (found := _decoded(copy, plain, seen, covers)) == ("size",):
        return found
    try:
        again = await pool.analyse(Analyse(str(plain), SECOND))
    except ModelMissing:
        again = await pool.analyse(Analyse(str(plain), FIRST))
    return (*found, *(["seen"] if any(_is_seen(one, other) for one in seen.faces for other in again.faces) else []))


def _is_seen(covered: Face, found: Face) -> bool:
    """Return whether a face found in the copy is the covered one: still in its place, or the same person elsewhere.

    The embedding of a speck is near to many, so it identifies no person: only its place counts.
    """
    if covered.box.iou(found.box) >= SAME_PLACE:
        return True
    if covered.embedding is None or found.embedding is None or trust(covered.quality) <= 0:
        return False
    one, other = (np.frombuffer(face, "<f4") for face in (covered.embedding, found.embedding))
    return bool(np.linalg.norm(one - other) < APART)


def _decoded(copy: Path, plain: Path, seen: Analysis, covers: Sequence[Cover]) -> tuple[str, ...]:
    """Return Pillow's objections; `plain` gets the copy without transparency."""
    with warnings.catch_warnings(), PIL.Image.open(copy) as opened:
        warnings.simplefilter("ignore")
        shown = np.asarray(opened.convert("RGBA"))
    if shown.shape[1::-1] != (seen.width, seen.height):
        return ("size",)
    PIL.Image.fromarray(shown[:, :, :3]).save(plain, compress_level=1)
    inside = (covered([cover], seen.width, seen.height) for cover in covers)
    off = [np.abs(shown[mask][:, :3].astype(int) - SOLID).mean() for mask in inside if mask.any()]
    return ("not_flat",) if max(off, default=0.0) > LOSES else ()
