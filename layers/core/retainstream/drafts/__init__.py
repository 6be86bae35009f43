"""A file as a schema reads it, and a first schema for a file. Nothing of either is stored."""
