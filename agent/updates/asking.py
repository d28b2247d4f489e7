"""Looks for updates in a child process, which ends with its answer."""

import os
from pathlib import Path

from agent.core.build import Build
from agent.core.child import Child, ChildGone, ChildTimeout, own_command
from agent.domain.errors import UpdateUnreachable, from_code
from agent.updates.update_worker import request

CHECK_S = 120.0
DOWNLOAD_S = 6 * 3_600.0
# How this machine reaches the network.
_NETWORK = ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


async def ask(build: Build, folder: Path, cache: Path, installed: str, channel: str, *, check: bool, fetch: bool, patient: bool) -> None:
    """See `worker.request`. Raises UpdateError, StoreError, Unexpected."""
    network = {name: os.environ[name] for name in (*_NETWORK, *map(str.upper, _NETWORK)) if name in os.environ}
    asked = request(build, folder, cache, installed, channel, check=check, fetch=fetch, patient=patient)
    try:
        child = await Child.start(own_command("update-worker"), extra_environment=network, desktop=False)
        try:
            answer = await child.request(asked, timeout=DOWNLOAD_S if fetch else CHECK_S)
        finally:
            await child.kill()
    except (ChildGone, ChildTimeout) as error:
        raise UpdateUnreachable from error
    if "code" in answer:
        raise from_code(str(answer["code"]), dict(answer.get("params") or {}))
