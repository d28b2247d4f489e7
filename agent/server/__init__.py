"""What only a team server has; the desktop never loads it."""
