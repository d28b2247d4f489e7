"""Photos analysed by several processes and machines: batches, workers, and events between processes."""
