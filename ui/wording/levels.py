"""Texts of the page of levels and of leaders' own grids: Chinese, English."""

LEVELS: dict[str, tuple[str, str]] = {
    "page.levels": ("分级与联格", "Levels"),
    "levels.empty": ("请先打开一个有网格方案的项目。", "Open a project with a grid plan first."),
    "levels.lead": (
        "点地图或表格逐级向下：县、乡镇、村、网格、微网格；点上方名称返回上级。",
        "Click the map or a row to go down: county, township, village, grid, micro-grid; click a "
        "name above to go up.",
    ),
    "levels.all": ("全部", "Everything"),
    "levels.city": ("市", "City"),
    "levels.county": ("县（区）", "County"),
    "levels.township": ("乡镇（街道）", "Townships"),
    "levels.village": ("村（社区）", "Villages"),
    "levels.grid": ("网格", "Grids"),
    "levels.micro_grid": ("微网格", "Micro-grids"),
    "levels.name": ("名称", "Name"),
    "levels.code": ("编码", "Code"),
    "levels.grids": ("网格", "Grids"),
    "levels.dedicated": ("其中专属", "Dedicated"),
    "levels.micro_grids": ("微网格", "Micro-grids"),
    "levels.agree": (
        "下级 {count} 个，合计 {households} 户，与本级一致。",
        "{count} below, {households} households together: the sums agree.",
    ),
    "levels.disagree": (
        "下级 {count} 个，合计 {households} 户，与本级不一致。",
        "{count} below, {households} households together: this differs from the place's own "
        "number.",
    ),
    "levels.lowest": ("没有下一级。", "Nothing lies below."),
    "levels.whose": ("领导联网格", "A leader's own grids"),
    "levels.nobody": ("不筛选", "no filter"),
    "levels.followed": (
        "{post}：{count} 个网格，{households} 户。",
        "{post}: {count} grids, {households} households.",
    ),
    "levels.settle": ("设置联系的网格", "Say who follows which grids"),
    "levels.settle_text": (
        "项目文件夹中的领导联网格表会自动使用。也可在此填写，一行一个岗位："
        "“岗位: 网格编码, 网格编码”；不填姓名。填写的内容不保存，请下载后放入项目文件夹。",
        "A list of leaders' grids in the project's folder is used by itself. Or write it here, a "
        "post a line: POST: CODE, CODE; no names. What is written is not kept: download it into "
        "the project's folder.",
    ),
    "levels.typed": ("岗位与网格", "Posts and grids"),
    "levels.file": ("上传领导联网格表（CSV、Excel）", "Upload a list (CSV, Excel)"),
    "levels.take_list": ("下载清单（CSV）", "Download the list (CSV)"),
    "levels.take_sheets": ("图纸（PDF）", "Map sheets (PDF)"),
    "levels.list_name": ("领导联网格", "leaders-grids"),
    "levels.to_plan": ("在“网格方案”中查看", "Look at it on the page of the plan"),
}
