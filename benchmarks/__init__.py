"""Measurements of the proposal engine: synthetic instances, peers, solved cases, records."""
