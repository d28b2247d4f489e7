"""One module per step, numbered in order; a published step is never edited."""
