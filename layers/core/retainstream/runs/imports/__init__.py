"""Importing customers from a file that somebody uploads: asked for, surveyed, compared, loaded, verified."""
