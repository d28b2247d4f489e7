"""Newer versions: finding, downloading, trying, installing and rolling back."""
