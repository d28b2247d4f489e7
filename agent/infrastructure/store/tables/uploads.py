"""Photos that members of a team server send from their browsers and desks."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant, PathBytes
from agent.infrastructure.store.tables.base import metadata

# Those that ended stay, so that a browser whose answer was lost still gets it.
upload = Table(
    "upload",
    metadata,
    Column("id", String(32), primary_key=True),  # random
    Column("member", String(32), nullable=False),  # a member's random id; empty: the user of the server's computer
    Column("library_id", Integer),  # the library it goes to; None: the server has no libraries of its own
    Column("name", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified_ns", BigInteger),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("sha256", String(64)),  # as the sender says it; once all has arrived, as it is
    Column("target", PathBytes),  # noted before the file is moved there
    Column("outcome", String),  # None: unfinished
    Column("ended_at", Instant),
    Column("request_id", String(40)),  # of the request that completed it, see `agent.infrastructure.core.request_id`
    Column("token", String(32)),  # the API token it came by, such as a desk's; None: from a browser
    Index("upload_by_member", "member", "outcome"),
    Index("upload_by_outcome", "outcome", "size"),
    Index("upload_by_content", "sha256"),
    Index("upload_by_target", "target"),
    Index("upload_by_token", "token", "outcome"),
)
