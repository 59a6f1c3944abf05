"""The ground: readers, coordinate systems, repair, units, borders. Imports no other package."""
