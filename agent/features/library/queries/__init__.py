"""The SQL of files, jobs and images."""
