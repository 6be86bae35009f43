"""The command line. Each group of commands is a module; what takes long to import is imported inside the command that needs it."""
