"""Updates: the signed manifest, the download, the memory of what was seen, and the installation that can be taken back."""
