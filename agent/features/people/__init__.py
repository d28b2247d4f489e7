"""People: identification, naming, review, clusters, search and forgetting."""
