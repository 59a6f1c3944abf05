"""One module a format, in order. A released one is never changed again."""
