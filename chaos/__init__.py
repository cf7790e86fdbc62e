"""Chaos runs: thousands of random operations against the sandbox under faults, held against a model of the account."""
