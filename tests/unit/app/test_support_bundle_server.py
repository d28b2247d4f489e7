"""What the support bundle tells of a team server's settings."""

import json

from agent.app.support_bundle import without_places
from agent.infrastructure.core.settings import Settings


def test_it_tells_no_address_no_password_and_no_file() -> None:
    settings = Settings.model_validate(
        {
            "server": {
                "name": "Ada's photos",
                "database": "postgresql://ada:secret@host/photos",
                "address": "https://photos.example.org",
                "names": ["photos.example.org"],
                "certificate": "/home/ada/cert.pem",
                "private_key": "/home/ada/key.pem",
                "metrics_token_file": "/home/ada/token",
                "worker_keys": "/home/ada/keys",
                "tracing": "https://traces.example.org/ada",
                "workers": 3,
            },
            "oidc": {
                "issuer": "https://id.example.org",
                "client_id": "ada",
                "secret_path": "/home/ada/secret",
                "name": "Ada's school",
                "certificate": "/home/ada/authority.pem",
                "allowed_groups": ["ada"],
                "roles": ["ada=viewer"],
                "create_domains": ["example.org"],
            },
        }
    )
    told = json.dumps(without_places(settings))
    assert not any(word in told.lower() for word in ("ada", "secret", "example", "pem"))
    limits = {
        "address_connections": 256,
        "address_handshakes": 64,
        "buckets_inside": False,
        "proxies": 0,
        "drain_delay_s": 0,
        "operations_port": 9464,
        "migrate": "auto",
        "announce": True,
    }
    assert json.loads(told)["server"] == {"port": 8443, "http_port": 0, "names": 1, "workers": 3, "drain_s": 30, **limits}


def test_no_text_that_somebody_wrote_is_in_it() -> None:
    written = Settings.model_validate(
        {
            "backup": {
                "folder": "/mnt/ada",
                "offsite": "sftp://ada@host.example.org/ada",
                "offsite_key_id": "AKIAADA",
                "offsite_authority": "/home/ada/authority.pem",
                "offsite_identity": "/home/ada/key.pem",
                "offsite_known_hosts": "/home/ada/hosts",
            },
            "uploads": {"folder": "/srv/ada"},
        }
    )
    told = without_places(written)
    assert not any(word in json.dumps(told).lower() for word in ("ada", "example", "pem"))
    assert told["backup"]["keep_full"] == written.backup.keep_full  # type: ignore[index]
