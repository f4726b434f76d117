"""What a person reads: numbers and findings as pages, with their figures."""
