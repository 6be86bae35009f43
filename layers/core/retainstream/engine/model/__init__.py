"""Churn probabilities of customers, with reasons and actions."""
