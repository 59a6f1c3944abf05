"""How a store of an earlier format becomes one of the present; run by :mod:`store.formats`."""
