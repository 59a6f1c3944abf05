"""Texts of the map sheets on the download page: Chinese, English."""

SHEETS: dict[str, tuple[str, str]] = {
    "sheets.title": ("图纸（PDF）", "Map sheets (PDF)"),
    "sheets.text": (
        "每个网格、村、乡镇一页，另有总图；矢量，中文已嵌入，可搜索；不含住户。",
        "A page a grid, village and township, and an overview; vector, Chinese embedded, "
        "searchable; no household on it.",
    ),
    "sheets.what": ("图纸种类", "Sheets"),
    "sheets.grid": ("网格图", "grids"),
    "sheets.village": ("村图", "villages"),
    "sheets.township": ("乡镇图", "townships"),
    "sheets.overview": ("总图", "overview"),
    "sheets.draw": ("生成图纸", "Draw the sheets"),
    "sheets.take": ("下载图纸（zip）", "Download the sheets (zip)"),
    "sheets.file": ("网格图纸", "map-sheets"),
    "job.sheets": ("正在绘制图纸……", "Drawing map sheets…"),
}
