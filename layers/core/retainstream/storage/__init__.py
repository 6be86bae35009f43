"""The only package that speaks to AWS: one repository per table, one for the bucket, typed errors."""
