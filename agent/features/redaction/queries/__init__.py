"""The SQL of redaction batches and their items."""
