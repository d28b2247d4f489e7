"""The figures of a server for Prometheus: numbers with few, known labels; no names, paths, or ids of people."""
