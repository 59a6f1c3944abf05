"""A page as a picture, for a phone and for looking at it; drawn by PDFium from the PDF itself."""

from __future__ import annotations

import io

import pypdfium2


def png_bytes(pdf: bytes, width: int, page: int = 0) -> bytes:
    """One page of a PDF as PNG, ``width`` pixels wide."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        sheet = document[page]
        picture = sheet.render(scale=width / sheet.get_width(), optimize_mode="print").to_pil()
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "PNG", optimize=True)
        return buffer.getvalue()
    finally:
        document.close()
