"""Police beats: every beat is a union of whole grids, and the grids are its units.

The grids of a plan make one :class:`geo.units.Units`, so that a division into beats is a
:class:`planning.plan.Plan` like any other: edits, undo, history and records work on it unchanged.
What only beats know (work, caps by class, stations, today's beats, links and barriers) stands
beside it in a :class:`planning.beats.ground.BeatGround`.
"""
