"""Reports to read: metrics and findings as HTML pages and tables, with their figures."""
