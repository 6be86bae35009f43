"""Customers: what is known of each, who is at risk, and segments of them."""
