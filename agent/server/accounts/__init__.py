"""Members of a team server: who they are, how they prove it, and what they may do. The desktop agent never loads it."""
