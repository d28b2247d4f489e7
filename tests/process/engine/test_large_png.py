"""A picture that is tiny on the disk and huge in memory: what an engine takes for it stays bounded."""

import re
import struct
import sys
import zlib
from pathlib import Path

import pytest

from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.pool import EnginePool
from agent.infrastructure.core.settings import EngineSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")

SIDE = 13_000
WHOLE_MB = SIDE * SIDE * 3 // 1_000_000  # 507
RECOGNISE = Recipe("centerface-2", "mobilefacenet-2")


def black_png(path: Path) -> Path:
    """169 megapixels in half a megabyte."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + SIDE * 3)) for _ in range(SIDE)) + packer.flush()
    head = struct.pack(">LLBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = [struct.pack(">L", len(data)) + name + data for name, data in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(each + struct.pack(">L", zlib.crc32(each[4:])) for each in chunks))
    return path


def peak_mb(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) // 1_000


async def test_169_black_megapixels_are_analysed_without_being_held_whole(engine_config: EngineConfig, tmp_path: Path) -> None:
    path = black_png(tmp_path / "black.png")
    assert path.stat().st_size < 1_000_000
    equipment = ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    pool = EnginePool(EngineSettings(workers=1), engine_config.models, equipment)
    try:
        analysis = await pool.analyse(Analyse(str(path), RECOGNISE))
        assert (analysis.width, analysis.height, analysis.faces) == (SIDE, SIDE, ())
        taken = peak_mb((await pool.hello()).pid)
    finally:
        await pool.close()
    assert pool.restarts == 0 and taken < WHOLE_MB, taken  # 351 MB when this was written, the nets included
