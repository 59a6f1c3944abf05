"""The demonstration county: a program that makes one up from a seed."""
