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
    "sheets.beat": ("警格图", "beats"),
    "sheets.leader": ("领导联网格图", "leaders' grids"),
    "sheets.beats_of": ("警格图用哪个划分", "Beats of which division"),
    "sheets.beats_file": ("项目文件夹中的警格", "beats in the project's folder"),
    "sheets.png": (
        "另存每个网格的图片（PNG，手机查看）", "Also a picture a grid (PNG, for telephones)",
    ),
    "sheets.only_changed": (
        "只画与上一版不同的 {count} 个网格及其所在村",
        "Only the {count} grids that changed, and their villages",
    ),
    "sheets.draw": ("生成图纸", "Draw the sheets"),
    "sheets.take": ("下载图纸（zip）", "Download the sheets (zip)"),
    "sheets.file": ("网格图纸", "map-sheets"),
    "job.sheets": ("正在绘制图纸……", "Drawing map sheets…"),
}
