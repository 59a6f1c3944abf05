"""The application: pages, maps and words; the only package that draws on a screen."""
