"""Decisions: proposal, refinement, metrics, rules, codes, plan files."""
