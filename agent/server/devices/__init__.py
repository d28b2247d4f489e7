"""Desktop agents that joined a team server, as the server sees them."""
