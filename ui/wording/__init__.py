"""The texts of single pages, joined in :mod:`ui.words`."""
