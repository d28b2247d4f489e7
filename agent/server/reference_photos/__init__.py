"""Reference photos that members send for people who agreed."""
