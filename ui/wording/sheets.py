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
    "sheets.no_beat": (
        "没有警格图：这个方案还没有警格。请先在“警格”页划分，再回到这里；"
        "项目文件夹中由这个方案的网格组成的 beats.gpkg 也会用上。",
        "No sheets of beats: this plan has none yet. Draw them on the page “Police beats”, then "
        "come back; a beats.gpkg of this plan's grids in the project's folder is used, too.",
    ),
    "sheets.no_leader": (
        "没有领导联网格图：还没有名单。请在上面“登记表附加内容”中附上，或先在“分级与联格”页录入并下载名单。",
        "No sheets of leaders' grids: there is no list yet. Attach one above under “More for the "
        "register”, or enter it on the page “Levels” and download it there.",
    ),
    "sheets.stopped": ("已停止，没有生成图纸。", "Stopped; no sheets were made."),
    "job.sheets": ("正在绘制图纸……", "Drawing map sheets…"),
    "job.sheet": (
        "正在绘制图纸（第 {done} 张，共 {total} 张）", "Drawing map sheets ({done} of {total})",
    ),
}
