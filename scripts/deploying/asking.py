"""Asks a server of this host."""

import ssl
import urllib.error
import urllib.request

_ANSWER_S = 60.0


def asked(url: str) -> str:
    """Ask once; returns what is wrong. Whose certificate it is, is not the question here: the address is the host's own."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        with opener.open(url, timeout=_ANSWER_S) as answer:
            return "" if answer.status == 200 else f"status {answer.status}"
    except urllib.error.HTTPError as error:
        return f"status {error.code}: {error.read(500).decode('utf-8', 'replace')}"
    except (OSError, ValueError) as error:
        return type(error).__name__
