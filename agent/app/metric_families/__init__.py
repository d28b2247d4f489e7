"""What the figures of the desktop agent and of a server share."""
