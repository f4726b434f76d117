"""Divide a table into parts that share no patient, and check splits made by others."""
