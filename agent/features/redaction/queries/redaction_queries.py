"""What the redaction room asks of the encrypted library: each query is one transaction."""

from agent.features.consent.queries import ConsentQueries
from agent.features.redaction.queries.batch_queries import BatchQueries
from agent.features.redaction.queries.outdated_queries import OutdatedCopyQueries
from agent.features.redaction.queries.plan_queries import PlanQueries


class RedactionQueries(PlanQueries, BatchQueries, OutdatedCopyQueries, ConsentQueries):
    """Batches of redacted copies and their items."""
