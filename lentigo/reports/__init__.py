"""Reports for a person to read: numbers and findings as pages, with their figures."""
