"""Map sheets (图纸): a page a grid, village, township and beat, and an overview, as vector PDF.

:mod:`~planning.sheets.book` says what each sheet is about and writes them; :mod:`~planning.sheets
.page` shares out the paper; :mod:`~planning.sheets.panel` draws the map; ``pdf`` and ``fonts`` make
the file, ``picture`` the PNG for a phone. No household is drawn on any sheet.
"""
