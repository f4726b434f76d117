"""Pictures on a page: rows of a table, views, the first batch of a training."""
