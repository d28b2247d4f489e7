"""The libraries of a team server: their folders, and which member has which role in them."""
