"""The processes of a team server: what is served, and the services of the rooms that only a server has."""
