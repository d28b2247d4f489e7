"""Sidecars made to harm, and an engine that two of them can hang or crash: real ones find no such hole, so the tests bring it along."""

import sys
from pathlib import Path

from tests.support.xmp_packets import DIGIKAM, region, regions, with_properties

HANGS, CRASHES = "<!-- hangs -->", "<!-- crashes -->"
LAUGHS = "".join(f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 12))

# By what is wrong with it; each would name the face somebody, if it were read.
SIDECARS: dict[str, bytes] = {
    "laughs": f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]>{with_properties(regions(region("&a11;")))}'.encode(),
    "outside": ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + with_properties(regions(region("&a;")))).encode(),
    "large": (DIGIKAM + " " * (15 << 20)).encode(),
    "elements": with_properties(f"<rdf:other>{'<rdf:a/>' * 250_000}</rdf:other>{regions(region('Mallory'))}").encode(),
    "depth": with_properties("<a>" * 100_000).encode(),
    "text": with_properties(regions(region("M" * (2 << 20)))).encode(),
    "utf-7": ('<?xml version="1.0" encoding="utf-7"?>' + DIGIKAM.split("?>", 1)[1]).encode(),
    "not utf-8": DIGIKAM.encode().replace(b"Anna", b"\xff\xfe\xc0"),
    "half utf-16": DIGIKAM.encode("utf-16")[:-1] + b"\xd8",
    "cut off": DIGIKAM.encode()[:900],
    "empty": b"",
    "noise": bytes(range(256)) * 40,
}

# What the engine of these tests stumbles over.
WORKER = f"""
import os, time
from agent.inference.engine.engine_worker import main
from agent.inference.vision.xmp import photo_xmp
parse = photo_xmp.parse
def stumble(body):
    if {HANGS.encode()!r} in body:
        time.sleep(3600)
    if {CRASHES.encode()!r} in body:
        os.abort()
    return parse(body)
photo_xmp.parse = stumble
raise SystemExit(main())
"""
COMMAND = [sys.executable, "-c", WORKER]


def put_beside(photo: Path, data: bytes) -> Path:
    """Write the photo's sidecar."""
    path = photo.with_name(f"{photo.name}.xmp")
    path.write_bytes(data)
    return path
