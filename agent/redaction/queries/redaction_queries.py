"""What the redaction room asks of the encrypted library: each query is one transaction."""

from agent.people.queries.people_queries import PeopleQueries
from agent.redaction.queries.batch_rows import BatchQueries
from agent.redaction.queries.plan_rows import PlanQueries


class RedactionQueries(PlanQueries, BatchQueries, PeopleQueries):
    """Batches of redacted copies and their items."""
