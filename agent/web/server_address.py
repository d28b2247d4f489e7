"""Addresses of team servers, as people type and paste them."""

import re
from typing import Final

from agent.domain.errors import TeamAddressInvalid

PORT: Final = 8443
_ADDRESS: Final = re.compile(r"(https://)?(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:(?P<port>\d{1,5}))?/?")


def address_of(said: str) -> str:
    """Return the server's address as typed or pasted: `photos.example` is `https://photos.example:8443`. Raises TeamAddressInvalid."""
    found = _ADDRESS.fullmatch(said.strip().partition("#")[0])
    if found is None or not 0 < int(found["port"] or PORT) < 65_536:
        raise TeamAddressInvalid
    port = found["port"] or ("443" if found[1] else str(PORT))
    return f"https://{found['host'].lower()}:{port}"
