"""Faces found by a team server's database, by pgvector. The desktop never loads it."""
