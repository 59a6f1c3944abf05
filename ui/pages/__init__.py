"""The pages, one module each; :mod:`app` only strings them together."""
