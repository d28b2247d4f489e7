"""Routes of buckets as sources: for administrators alone."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import FastAPI, Path

from agent.domain.errors import NotFound
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.sources.bucket.bucket import Keys
from agent.interfaces.web.access import Scope, needs
from agent.server.libraries.bucket_schemas import BucketAdd, BucketChange, BucketChecked, BucketKeysIn, BucketOut, BucketsOut, BucketWanted
from agent.server.libraries.buckets import Buckets

Name = Annotated[str, Path(pattern=r"^[a-z0-9._-]{1,63}$")]
_MANAGE = needs(Scope.MEMBERS_MANAGE)


def bucket_routes(api: FastAPI, buckets: Buckets, texts: Callable[[], Texts], resorted: Callable[[], Awaitable[None]]) -> None:
    """Add them to `api`. `resorted` is called when the folders of a library have changed."""

    async def one(name: str) -> BucketOut:
        for each in await buckets.seen():
            if each.bucket.name == name:
                return BucketOut.of(each, texts())
        raise NotFound

    @api.get("/api/buckets", openapi_extra=_MANAGE)
    async def list_buckets() -> BucketsOut:
        return BucketsOut(items=tuple(BucketOut.of(each, texts()) for each in await buckets.seen()))

    @api.post("/api/buckets", openapi_extra=_MANAGE)
    async def add(wanted: BucketAdd) -> BucketOut:
        """Add a bucket to a library as a source. Its photos are found at once, whether or not it answers by now."""
        made = await buckets.add(wanted.bucket(), _keys(wanted.keys), wanted.library_id)
        await resorted()
        return await one(made.name)

    @api.patch("/api/buckets/{name}", openapi_extra=_MANAGE)
    async def change(name: Name, wanted: BucketChange) -> BucketOut:
        await buckets.change(name, wanted.values(), _keys(wanted.keys))
        return await one(name)

    @api.delete("/api/buckets/{name}", status_code=204, openapi_extra=_MANAGE)
    async def remove(name: Name) -> None:
        """Read it no longer. Its photos leave the library; nothing in the bucket is touched."""
        await buckets.remove(name)
        await resorted()

    _trying_routes(api, buckets, texts)


def _trying_routes(api: FastAPI, buckets: Buckets, texts: Callable[[], Texts]) -> None:
    @api.post("/api/buckets/check", openapi_extra=_MANAGE)
    async def check(wanted: BucketWanted) -> BucketChecked:
        """Request one page of a bucket that need not be a source yet, and tell what is in the way."""
        return BucketChecked.of(await buckets.check(wanted.bucket(), _keys(wanted.keys)), texts())

    @api.post("/api/buckets/{name}/check", openapi_extra=_MANAGE)
    async def check_known(name: Name) -> BucketChecked:
        """Do the same for a source, with the keys that the server's computer has."""
        return BucketChecked.of(await buckets.check_known(name), texts())

    @api.post("/api/buckets/{name}/list", status_code=204, openapi_extra=_MANAGE)
    async def list_now(name: Name) -> None:
        """List it now."""
        await buckets.list_now(name)


def _keys(given: BucketKeysIn | None) -> Keys | None:
    return None if given is None else Keys(given.key_id.strip(), given.secret.strip())
