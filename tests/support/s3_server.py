"""An object store for tests, as a process of its own: the S3 protocol over HTTP, as much of it as readers need, with signatures checked.

Buckets are folders. `control.json` beside them says what goes wrong now. Run it with the folder; it prints its port.
"""

import hashlib
import hmac
import json
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

KEY_ID, SECRET = "AKIATESTS", "a secret of the tests"
_UNSIGNED = "UNSIGNED-PAYLOAD"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: ClassVar[Path]
    listings: ClassVar[int] = 0
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_GET(self) -> None:
        control = self._control()
        address = urlsplit(self.path)
        bucket, _, key = unquote(address.path).lstrip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        folder = self.root / bucket
        if (refused := self._refusal(control, address.path, address.query)) is not None:
            self._error(403, refused)
        elif not bucket or not folder.is_dir():
            self._error(404, "NoSuchBucket")
        elif not key:
            self._list(control, bucket, folder, query)
        else:
            self._object(control, folder / key)

    do_HEAD = do_GET

    def _refusal(self, control: dict[str, Any], path: str, query: str) -> str | None:
        """The code of what is wrong with the signature; None if it is right."""
        said = self.headers.get("authorization", "")
        if not said:
            return None if control.get("anonymous") else "AccessDenied"
        parts = dict(part.strip().split("=", 1) for part in said.partition(" ")[2].split(","))
        key_id, day, region, service, _ = parts["Credential"].split("/")
        if key_id != control.get("key_id", KEY_ID):
            return "InvalidAccessKeyId"
        at = datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(datetime.now(UTC) + timedelta(hours=control.get("clock_hours", 0)) - at) > timedelta(minutes=15):
            return "RequestTimeTooSkewed"
        names = parts["SignedHeaders"].split(";")
        signed = "".join(f"{name}:{' '.join((self.headers[name] or '').split())}\n" for name in names)
        pairs = sorted(
            (quote(unquote(n), safe="-_.~"), quote(unquote(v), safe="-_.~"))
            for n, _, v in (p.partition("=") for p in query.split("&") if p)
        )
        wanted = "&".join(f"{name}={value}" for name, value in pairs)
        payload = self.headers.get("x-amz-content-sha256", _UNSIGNED)
        request = "\n".join((self.command, path, wanted, signed, ";".join(names), payload))
        scope = f"{day}/{region}/{service}/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope, hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{control.get('secret', SECRET)}".encode()
        for part in (day, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), parts["Signature"]):
            return "SignatureDoesNotMatch"
        return "AccessDenied" if control.get("denied") else None

    def _list(self, control: dict[str, Any], bucket: str, folder: Path, query: dict[str, str]) -> None:
        with self.lock:
            Handler.listings += 1
            number = Handler.listings
        if query.get("continuation-token") and control.get("cut"):
            self.close_connection = True  # in the middle of a listing
            return
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        keys = sorted(
            (*(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()), *control.get("odd", ())), key=str.encode
        )
        found: list[str] = []
        folders: dict[str, None] = {}
        more, last = False, ""
        for key in keys:
            if not key.startswith(prefix) or key <= after:
                continue
            if len(found) + len(folders) >= control.get("page", 1000):
                more = True
                break
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                folders[prefix + rest.partition(delimiter)[0] + delimiter] = None
            else:
                found.append(key)
            last = key
        rows = "".join(_row(key, folder / key, control) for key in found)
        rows += "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders)
        token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(found)}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        )
        (self.root / "listings").write_text(str(number))
        self._answer(200, body.encode(), "application/xml")

    def _object(self, control: dict[str, Any], path: Path) -> None:
        if not path.is_file():
            self._error(404, "NoSuchKey")
            return
        self._answer(200, path.read_bytes(), "binary/octet-stream", path)

    def _error(self, status: int, code: str) -> None:
        body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>no</Message></Error>'
        self._answer(status, body.encode(), "application/xml")

    def _answer(self, status: int, body: bytes, kind: str, path: Path | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if path is not None:
            self.send_header("etag", _etag(path))
            self.send_header("last-modified", formatdate(path.stat().st_mtime, usegmt=True))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _control(self) -> dict[str, Any]:
        file = self.root / "control.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def log_message(self, format: str, *args: object) -> None: ...


def _quoted(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _etag(path: Path) -> str:
    return f'"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}"'


def _row(key: str, path: Path, control: dict[str, Any]) -> str:
    if path.is_file() and key not in control.get("odd", ()):
        etag, size, at = _etag(path), path.stat().st_size, datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    else:
        etag, size, at = '"0"', 5, datetime(2026, 1, 1, tzinfo=UTC)
    when = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{when}</LastModified><ETag>{escape(etag)}</ETag>"
        f"<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )


def main() -> None:
    Handler.root = Path(sys.argv[1])
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
