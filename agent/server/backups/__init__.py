"""Backups of a team server and offsite backups: by pgBackRest for the database, by restic for files."""
