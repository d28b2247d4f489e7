"""The toolkit of commands: output, options, errors as exit codes, and access to the library."""
