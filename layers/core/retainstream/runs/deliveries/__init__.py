"""Deliveries of source files: asked for or dropped into the bucket, read, and added to the sources."""
