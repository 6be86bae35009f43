"""Preparing: training rows of the past, lives, and the present features of all customers, from the sources."""
