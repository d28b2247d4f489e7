"""Images by digest: what a tag leads to may change under a rollback."""

import re

from scripts.deploying.failures import Failed

_PINNED = re.compile(r"(?P<repository>[a-z0-9][a-zA-Z0-9._:/-]*)@(?P<digest>sha256:[0-9a-f]{64})")


def pinned(image: str) -> tuple[str, str]:
    """Return repository and digest. Raises Failed for an image without a digest."""
    found = _PINNED.fullmatch(image)
    if found is None:
        raise Failed("name the image with its digest: --image NAME@sha256:..., as `docker image inspect --format '{{.RepoDigests}}'` says")
    return found["repository"], found["digest"]
