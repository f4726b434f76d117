"""Divide a table into parts that share no patient, and check the splits of others."""
