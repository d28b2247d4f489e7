"""The toolkit of commands: output, options, errors as exit codes, and the way to the library."""
