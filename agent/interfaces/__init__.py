"""The toolkits of commands and of HTTP; they know no feature."""
