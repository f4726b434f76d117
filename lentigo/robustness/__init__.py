"""Stress tests: how predictions change when images are disturbed, and why."""
