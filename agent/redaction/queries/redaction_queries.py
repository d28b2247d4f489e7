"""What the redaction room asks of the encrypted library: each query is one transaction."""

from agent.consent.queries import ConsentQueries
from agent.redaction.queries.batch_rows import BatchQueries
from agent.redaction.queries.outdated_rows import OutdatedCopyQueries
from agent.redaction.queries.plan_rows import PlanQueries


class RedactionQueries(PlanQueries, BatchQueries, OutdatedCopyQueries, ConsentQueries):
    """Batches of redacted copies and their items."""
