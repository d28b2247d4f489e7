"""What counts as one address on the network."""

import ipaddress


def network_of(address: str) -> str:
    """The address by which a visitor is counted: of IPv6 a customer has at least a /64. Empty if it is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
