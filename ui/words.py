"""Every text of the application, Chinese and English side by side; pure.

``{placeholders}`` are filled by :meth:`str.format`. A test fails when a page asks for a text that
is not here, when a text is asked for nowhere, or when the two languages name different
placeholders.
"""

from __future__ import annotations

from typing import Literal

from ui.wording.access import ACCESS
from ui.wording.beats import BEATS
from ui.wording.filing import FILING
from ui.wording.incidents import INCIDENTS
from ui.wording.kept import KEPT
from ui.wording.levels import LEVELS
from ui.wording.micro import MICRO
from ui.wording.overview import OVERVIEW
from ui.wording.scenarios import SCENARIOS
from ui.wording.sheets import SHEETS
from ui.wording.taking import TAKING
from ui.wording.together import TOGETHER

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

WORDS: dict[str, tuple[str, str]] = {
    # key: (Chinese, English)
    "app.name": ("格匠", "Gridwright"),
    "app.language": ("语言", "Language"),
    "page.project": ("项目", "Project"),
    "page.plan": ("网格方案", "Grid plan"),
    "page.download": ("下载", "Download"),
    # --- the project page
    "project.title": ("打开一个县区", "Open a county"),
    "project.lead": (
        "规划从两个图层开始：村（社区）边界和户点。道路、水系、铁路、小区等图层能让网格沿着看得见的界线走。",
        "A plan starts from two layers: village boundaries and household points. Roads, water, "
        "railways and compounds let grid borders follow lines one can see.",
    ),
    "project.current": ("当前项目", "Current project"),
    "project.none": ("还没有打开项目。", "No project is open yet."),
    "project.demo": ("演示县", "Demonstration county"),
    "project.demo_text": (
        "一个虚构的县：14 个乡镇、105 个村（社区）、16.5 万户。生成并提出方案约需一分钟。",
        "An invented county: 14 townships, 105 villages, 165,000 households. Making it and "
        "proposing its grids takes about a minute.",
    ),
    "project.open_demo": ("打开演示县", "Open the demonstration county"),
    "project.upload": ("上传文件", "Upload files"),
    "project.upload_text": (
        "可一次选择多个文件：GeoPackage、GeoJSON、Shapefile（zip，或一起选 .shp .dbf .shx .prj "
        ".cpg）、KML/OVKML、CSV、Excel。姓名、证件号、电话等个人信息列在读入时丢弃；接受之前不存入任何内容。"
        "已有方案 plan.gpkg 请从服务器文件夹打开。",
        "Several files at once: GeoPackage, GeoJSON, Shapefile (a zip, or .shp .dbf .shx .prj .cpg "
        "together), KML/OVKML, CSV, Excel. Columns with personal data are dropped while reading; "
        "nothing is stored before you accept it. Open a plan.gpkg from a folder on the server.",
    ),
    "project.uploaded": ("上传的数据", "Uploaded data"),
    "project.files": ("文件", "Files"),
    "project.folder": ("服务器文件夹", "Folder on the server"),
    "project.folder_text": (
        "填写服务器上的文件夹路径。文件夹中若有 plan.gpkg，则直接打开已有方案。",
        "The path of a folder on the server. Where it holds a plan.gpkg, that plan is opened as "
        "it is.",
    ),
    "project.folder_path": ("文件夹路径", "Path of the folder"),
    "project.look_again": ("再次读取", "Read them again"),
    "project.look": ("查看文件夹", "Look into the folder"),
    "project.refused": (
        "标红的文件没有收下：超过 {megabytes} MB，或不是这里可读的格式。大文件请放进服务器文件夹。",
        "Files marked red were not taken: over {megabytes} MB, or no format that is read here. "
        "Put large files into a folder on the server.",
    ),
    "project.nothing_readable": (
        "没有找到可读取的文件。请检查文件夹或换一种格式。",
        "No readable file was found. Check the folder, or use another format.",
    ),
    "project.layers": ("已读入的图层", "Layers that were read"),
    "project.layer": ("图层", "Layer"),
    "project.file": ("文件", "File"),
    "project.rows": ("行数", "Rows"),
    "project.notes": ("读入时的提示（{count}）", "Noticed while reading ({count})"),
    "project.no_notes": ("读入时没有发现问题。", "Nothing wrong was found while reading."),
    "project.to_plan": ("查看网格方案", "Go to the grid plan"),
    "project.opened": ("已打开：{name}", "Opened: {name}"),
    # --- roles
    "role.villages": ("村（社区）边界", "Village boundaries"),
    "role.households": ("户点", "Households"),
    "role.roads": ("道路", "Roads"),
    "role.water": ("水系", "Water"),
    "role.railways": ("铁路", "Railways"),
    "role.compounds": ("小区", "Compounds"),
    "role.groups": ("村民小组 / 自然村", "Village groups"),
    "role.dedicated": ("专属网格单位", "Dedicated sites"),
    # --- files on their way in
    "job.looking": ("正在读取 {label}（{done}/{total}）", "Reading {label} ({done}/{total})"),
    "role.stations": ("派出所", "Police stations"),
    "role.beats": ("警格 / 警务区", "Police beats"),
    "role.officers": ("警力", "Officers"),
    "role.incidents": ("警情 / 事件", "Incidents"),
    "role.services": ("服务设施", "Services"),
    "files.title": ("核对文件", "Check the files"),
    "files.lead": (
        "还没有存入任何内容。核对每个图层的用途、列和位置，然后接受。",
        "Nothing is stored yet. Check what each layer is for, its columns and its place, then "
        "accept.",
    ),
    "files.accept": ("接受并打开", "Accept and open"),
    "files.accept_map": ("只看地图", "Open as a map"),
    "files.without_households": (
        "没有户数：接受后只能看图，不能生成网格。请点“添加文件”补上户数。",
        "There are no households: accepted like this it is a map, and no grids can be proposed. "
        "Add their file first if there is one.",
    ),
    "files.without_villages": (
        "没有村界：各小区域的外轮廓将当作一个村。如有村界文件请添加，或让这一图层兼作村界。",
        "There are no village boundaries: the outline of the areas will be taken for one village. "
        "Add their file if there is one, or take this layer for villages too.",
    ),
    "files.also_villages": ("兼作村界", "Also as villages"),
    "files.also_villages_help": (
        "把同一图层再读一遍作为村界；然后在“列”中指定村代码列，代码相同的区域合成一个村。",
        "Read this layer once more as villages; then choose the column of the village code under "
        "“Columns”: areas of one code become one village.",
    ),
    "files.away": ("全部拿走", "Take all away"),
    "files.add": ("添加文件", "Add files"),
    "files.add_text": (
        "再选文件，和已有的放在一起；已作的选择不变。",
        "More files beside these; what was chosen stays.",
    ),
    "files.missing": (
        "还缺：{roles}。请点“添加文件”补上，或改正某个图层的用途。",
        "Still missing: {roles}. Add its file with “Add files”, or correct a layer's role.",
    ),
    "files.missing_here": (
        "还缺：{roles}。请把文件放进这个文件夹后重新查看，或改正某个图层的用途。",
        "Still missing: {roles}. Put its file into the folder and look again, or correct a "
        "layer's role.",
    ),
    "files.use": ("使用", "Use"),
    "files.role": ("用途", "Role"),
    "files.choose_role": ("请选择用途", "choose what it is"),
    "files.rows": ("{count} 行", "{count} rows"),
    "files.unreadable": ("无法读取", "cannot be read"),
    "files.no_role": ("请选择用途", "needs a role"),
    "files.warnings": ("{count} 处提示", "warnings: {count}"),
    "files.remembered": ("沿用上次的选择", "chosen as last time"),
    "files.twice": (
        "有两个图层都用作“{roles}”，请只留一个。",
        "Two layers are used as “{roles}”; keep one.",
    ),
    "files.blocked": (
        "{names} 无法读取：请改正，或取消勾选。",
        "{names} cannot be read: correct it, or untick it.",
    ),
    "files.kept_for_later": (
        "方案不使用这类图层：可以在这里查看，但不会存入项目。",
        "The proposal does not use such layers: it can be looked at here and is not kept with the "
        "project.",
    ),
    "files.tab_columns": ("列", "Columns"),
    "files.tab_problems": ("问题（{count}）", "Problems ({count})"),
    "files.tab_rows": ("前几行", "First rows"),
    "files.no_problems": ("没有发现问题。", "Nothing wrong was found."),
    "files.error": ("错误", "Error"),
    "files.warning": ("提示", "Warning"),
    "files.note": ("说明", "Note"),
    "files.none": ("（不使用）", "(none)"),
    "files.unused": ("未读取的列：", "Columns that are not read:"),
    "files.dropped": (
        "作为个人信息丢弃：{columns} 列；清空单元格 {cells} 个。",
        "Left out as personal: {columns} columns; {cells} cells emptied.",
    ),
    "files.nothing_dropped": (
        "没有发现个人信息列或号码。", "No personal column or number was found.",
    ),
    "files.encoding": ("编码 {encoding}", "encoding {encoding}"),
    "files.crs": ("坐标系 {crs}", "coordinate system {crs}"),
    "files.crs_unknown": (
        "坐标系未说明，将按与其他图层的重叠判断",
        "no coordinate system stated; judged by where the other layers are",
    ),
    "files.no_places": ("没有坐标", "no coordinates"),
    "files.placed": ("地图显示 {drawn} / {placed} 个", "{drawn} of {placed} drawn"),
    "files.no_map": (
        "这个图层没有可以上图的位置。",
        "This layer has no place that could be drawn.",
    ),
    "files.not_shown": (
        "您的角色不查看全县的单个户点或事件，这里只列数目。",
        "Your role does not show single households or events of the whole county; "
        "only their numbers are told here.",
    ),
    "files.datum": ("坐标基准", "Datum"),
    "files.evidence": (
        "落在村界内的比例：WGS 84 {wgs84}，GCJ-02 {gcj02}，BD-09 {bd09}（抽查 {sampled} 点）。",
        "Share inside the villages: WGS 84 {wgs84}, GCJ-02 {gcj02}, BD-09 {bd09} ({sampled} points "
        "asked).",
    ),
    "files.evidence_sure": ("判断为 {datum}。", "So it is {datum}."),
    "files.doubt_low": ("最高比例不到 98 %。", "The best share is under 98 %."),
    "files.doubt_close": (
        "有两种假设相差不到 1 个百分点。", "Two of them are within 1 percentage point.",
    ),
    "files.evidence_doubt": (
        "看来是 {datum}，但不能确定：请核对地图，必要时改选。",
        "It looks like {datum}, but this is doubtful: check the map, and choose another if needed.",
    ),
    "files.evidence_chosen": ("您选择了 {datum}。", "You chose {datum}."),
    "datum.auto": ("自动判断", "Find out"),
    "datum.wgs": ("WGS 84（同 CGCS2000）", "WGS 84 / CGCS2000"),
    "datum.gcj": ("GCJ-02（高德、腾讯）", "GCJ-02 (AMap, Tencent)"),
    "datum.bd": ("BD-09（百度）", "BD-09 (Baidu)"),
    "column.code": ("代码", "Code"),
    "column.name": ("名称", "Name"),
    "column.township_name": ("乡镇（街道）", "Township"),
    "column.class_code": ("城乡分类", "Urban or rural"),
    "column.households": ("户数", "Households"),
    "column.persons": ("人口", "Persons"),
    "column.village_code": ("村代码", "Village code"),
    "column.village_name": ("村名", "Village name"),
    "column.group": ("村民小组 / 自然村", "Village group"),
    "column.compound": ("小区", "Compound"),
    "column.lon": ("经度 / X", "Longitude / X"),
    "column.lat": ("纬度 / Y", "Latitude / Y"),
    "column.lonlat": ("经纬度（一列）", "Both in one column"),
    "column.wkt": ("图形文本（WKT）", "Shape as text (WKT)"),
    "column.road_class": ("道路等级", "Road class"),
    "column.category": ("类别", "Category"),
    "column.station": ("派出所", "Station"),
    "column.beat": ("警格", "Beat"),
    "column.officers": ("警力数", "Officers"),
    "column.time": ("时间", "Time"),
    "column.date": ("日期", "Date"),
    "column.clock": ("钟点", "Time of day"),
    "column.subtype": ("小类", "Subtype"),
    "column.source": ("来源", "Source"),
    "column.status": ("状态", "Status"),
    "column.closed_time": ("办结时间", "Closed at"),
    # --- the plan page
    "plan.empty": (
        "还没有打开项目。先打开演示县，或上传自己的村边界和户点。",
        "No project is open yet. Open the demonstration county, or upload village boundaries and "
        "households of your own.",
    ),
    "plan.to_project": ("去打开项目", "Open a project"),
    "plan.map_only": (
        "只有村界，没有户数：可以看图，不能生成网格。请在“项目”页连同户数文件一起重新打开。",
        "There are village boundaries and no households: this is a map, and no grids can be "
        "proposed. Open the files again, with that of the households, on the page “Project”.",
    ),
    "plan.no_plan": (
        "数据已读入，还没有网格。在左侧设定目标和上限，然后点“生成网格方案”。",
        "The data are read; there are no grids yet. Set the target and the caps on the left, then "
        "press “Propose grids”.",
    ),
    "plan.whole_county": ("全县", "Whole county"),
    "plan.place": ("范围", "Shown"),
    "plan.side": ("表格", "Table"),
    "plan.side_grids": ("网格", "Grids"),
    "plan.side_exceptions": ("例外 {count}", "Exceptions {count}"),
    "plan.side_villages": ("各村网格数", "Grids per village"),
    "plan.search": ("按名称或编码查找", "Find by name or code"),
    "plan.search_hint": ("如：柳塘 第二 / 320116", "e.g. Liutang 2 / 320116"),
    "plan.nothing_found": (
        "没有符合的网格，请换个词查找。",
        "No grid matches; try another word.",
    ),
    "plan.no_exceptions": (
        "没有例外：这里的网格都符合各项规则。",
        "No exceptions: every grid shown keeps every rule.",
    ),
    "plan.click_row": (
        "点选一行，地图移到该网格；双击地图上的网格进入所在村。",
        "Select a row to go there on the map; double-click a grid to open its village.",
    ),
    "plan.villages_text": (
        "“指定”一列留空则按公式计算。改动在下次生成方案时生效。",
        "Leave “Wanted” blank to follow the formula. Changes take effect at the next proposal.",
    ),
    "plan.unplaced": (
        "{count} 户不在任何村界内，未计入网格（见下载的 unplaced 图层）。",
        "{count} households lie in no village and are in no grid (layer unplaced of the download).",
    ),
    "plan.close_card": ("取消选择", "Clear the selection"),
    "plan.open_village": ("进入本村", "Open this village"),
    # --- headline
    "headline.grids": ("网格", "Grids"),
    "headline.households": ("户数", "Households"),
    "headline.near": ("与村均值相差 10 % 以内", "Within 10 % of the village's ideal"),
    "headline.lines": ("内部界线沿路、河、铁路", "Inner border on roads, rivers, rail"),
    "headline.exceptions": ("例外", "Exceptions"),
    # --- grids and villages
    "grid.code": ("编码", "Code"),
    "grid.name": ("名称", "Name"),
    "grid.kind": ("类型", "Kind"),
    "grid.households": ("户数", "Households"),
    "grid.persons": ("人口", "Persons"),
    "grid.deviation": ("与目标", "vs target"),
    "grid.deviation_ideal": ("与村均", "vs ideal"),
    "grid.exceptions": ("例外", "Exceptions"),
    "grid.compactness": ("紧凑度", "Compactness"),
    "grid.on_lines": ("沿线占比", "On lines"),
    "grid.reach": ("平均距离 m", "Reach m"),
    "grid.area": ("面积", "Area"),
    "grid.bounds": ("四至", "Bounded by"),
    "village.code": ("村代码", "Code"),
    "village.name": ("村（社区）", "Village"),
    "village.township": ("乡镇（街道）", "Township"),
    "village.grids_now": ("现有", "Now"),
    "village.suggested": ("公式", "Formula"),
    "village.wanted": ("指定", "Wanted"),
    "exception.rule": ("规则", "Rule"),
    "exception.value": ("实际", "Value"),
    "exception.limit": ("限值", "Limit"),
    "exception.reason": ("原因", "Reason"),
    "kind.comprehensive": ("综合网格", "comprehensive"),
    "kind.dedicated": ("专属网格", "dedicated"),
    # --- settings
    "settings.title": ("划分标准", "Rules of division"),
    "settings.preset": ("参照标准", "Preset"),
    "settings.preset_luhe": (
        "六合：约 300 户，1500 人以内",
        "Luhe: about 300, at most 1,500 persons",
    ),
    "settings.preset_zhejiang": ("浙江：300–500 户", "Zhejiang: 300–500 households"),
    "settings.preset_zhejiang-mixed": (
        "浙江融合型大社区：200–300 户", "Zhejiang, large mixed: 200–300 households",
    ),
    "settings.preset_tongcheng": ("通城：一组一格", "Tongcheng: one group, one grid"),
    "settings.preset_own": ("自定", "My own"),
    "settings.target": ("目标户数", "Target"),
    "settings.min_households": ("户数下限", "Min. households"),
    "settings.max_households": ("户数上限", "Max. households"),
    "settings.max_persons": ("人口上限", "Max. persons"),
    "settings.no_limit": ("不限", "none"),
    "settings.more": ("微网格、权衡与随机种子", "Micro-grids, priorities, seed"),
    "settings.balance": ("户数均衡", "Even households"),
    "settings.shape": ("形状紧凑", "Compact shape"),
    "settings.walk": ("走访距离短", "Short walks"),
    "settings.lines": ("沿路沿河", "Borders on lines"),
    "settings.seed": ("随机种子", "Seed"),
    "settings.seed_help": (
        "同样的数据和种子得到同样的方案。", "The same data and seed give the same plan.",
    ),
    "settings.max_below_target": (
        "户数上限低于目标，请调高上限或调低目标。",
        "The cap on households is below the target; raise the cap or lower the target.",
    ),
    "settings.min_above_target": (
        "户数下限高于目标，请调低下限或调高目标。",
        "The least households are above the target; lower them or raise the target.",
    ),
    "settings.fixed": ("{count} 个村指定了网格数", "{count} villages with a number of their own"),
    "settings.propose": ("生成网格方案", "Propose grids"),
    # --- jobs
    "job.cancel": ("取消", "Cancel"),
    "job.waiting": ("排队中……", "Waiting for its turn…"),
    "job.starting": ("正在开始……", "Starting…"),
    "job.reading": ("正在读取数据……", "Reading the data…"),
    "job.plan": ("正在打开方案……", "Opening the plan…"),
    "job.making": ("正在生成演示县……", "Making the demonstration county…"),
    "job.proposing": ("{label}（{done}/{total}）", "{label} ({done}/{total})"),
    "job.drawing": ("正在整理结果……", "Preparing the result…"),
    "job.done": ("方案已生成，用时 {seconds} 秒。", "The plan is ready; it took {seconds} s."),
    "job.cancelled": ("已取消，原方案不变。", "Cancelled; the plan is as it was."),
    # --- map
    "map.layers": ("图层", "Layers"),
    "map.fit": ("显示全部", "Show everything"),
    "map.notice": (
        "内部使用,未经地图审核不得公开 · 网格界线不是行政区域界线",
        "内部使用,未经地图审核不得公开 · Internal use only · "
        "Grid borders are no administrative boundaries",
    ),
    "layer.roads": ("道路", "Roads"),
    "layer.water": ("水系", "Water"),
    "layer.railways": ("铁路", "Railways"),
    "layer.compounds": ("小区", "Compounds"),
    "layer.villages": ("村界", "Village borders"),
    "layer.units": ("基本单元", "Units"),
    "layer.households": ("户点", "Households"),
    "layer.exceptions": ("例外标记", "Exceptions"),
    "layer.names": ("名称", "Names"),
    "legend.deviation": ("户数与目标的偏差", "Households against the target"),
    "legend.deviation_ideal": ("户数与村均值的偏差", "Households against the village's ideal"),
    "legend.none": ("专属网格", "Dedicated grid"),
    # --- the planner's board (redraw.told_*: what came of a request; the rest goes to the browser)
    "page.board": ("调整网格", "Redraw"),
    "redraw.village": ("村（社区）", "Village"),
    "redraw.lead": (
        "每一步都会自动保存，可随时撤销。按 ? 查看快捷键。",
        "Every step is saved at once and can be undone. Press ? for shortcuts.",
    ),
    "redraw.empty": (
        "还没有可以调整的方案。先在“网格方案”页生成。",
        "There is no plan to redraw yet. Propose one on the page “Grid plan”.",
    ),
    "redraw.no_ground": (
        "调整网格需要村边界和户点。请在“项目”页连同它们一起打开。",
        "Redrawing needs village boundaries and household points. Open the project together with "
        "them.",
    ),
    "redraw.reading": ("正在读取数据……", "Reading the data…"),
    "redraw.told_not_kept": (
        "{count} 个网格的边界无法完全保留（差异超过一米），请在地图上核对。",
        "{count} grids could not be kept to within a metre; check their borders on the map.",
    ),
    "redraw.pick": ("选择", "Choose"),
    "redraw.pick_title": (
        "点击选择，Shift 点击加选，双击选整格，Shift 拖动框选",
        "Click to choose, Shift-click to add, double click for the grid, Shift-drag a box",
    ),
    "redraw.box": ("框选", "Box"),
    "redraw.box_title": ("拖出矩形选择", "Drag a rectangle to choose"),
    "redraw.lasso": ("套索", "Lasso"),
    "redraw.lasso_title": ("画圈选择", "Draw a loop to choose"),
    "redraw.give": ("划入…", "Give to…"),
    "redraw.give_title": (
        "把选中的单元划入所点的网格", "Give the chosen units to the grid you click",
    ),
    "redraw.give_here": ("划入", "Give"),
    "redraw.brush": ("涂抹", "Brush"),
    "redraw.brush_title": (
        "涂过的单元划入选中的网格（未选则为起点网格）",
        "Units painted over go to the chosen grid (or the one you start in)",
    ),
    "redraw.drag": ("拖边界", "Border"),
    "redraw.drag_title": (
        "按住两格之间的边界拖动，Esc 放弃", "Pull the border between two grids, Esc lets go",
    ),
    "redraw.draw": ("画轮廓", "Outline"),
    "redraw.draw_title": (
        "为选中的网格重画轮廓", "Draw a new outline for the chosen grid",
    ),
    "redraw.cut": ("画线拆分", "Cut"),
    "redraw.cut_title": (
        "画一条线，把网格拆成两个", "Draw a line that splits a grid",
    ),
    "redraw.through": ("切开单元", "Cut units"),
    "redraw.through_title": (
        "画线、画轮廓时：沿单元，或按所画切开单元",
        "Lines and outlines follow the units, or cut them where drawn",
    ),
    "redraw.along": ("不切单元", "Keep units whole"),
    "redraw.along_title": (
        "边界沿现有单元走", "The border follows the units as they are",
    ),
    "redraw.through_note": (
        "边界就在画的地方；房屋不被切开，整栋归一边",
        "The border runs where it is drawn; a building is never cut, it stays on one side",
    ),
    "redraw.undo": ("撤销", "Undo"),
    "redraw.redo": ("重做", "Redo"),
    "redraw.merge": ("合并", "Merge"),
    "redraw.merge_title": ("合并选中的网格", "Join the chosen grids"),
    "redraw.split": ("拆分", "Split"),
    "redraw.split_title": ("把网格均衡拆成几份", "Split a grid into balanced parts"),
    "redraw.balance": ("均衡", "Balance"),
    "redraw.balance_title": (
        "移动公共边界，使选中网格户数相近", "Even out the chosen grids by moving their borders",
    ),
    "redraw.new": ("新网格", "New grid"),
    "redraw.new_title": ("用选中的单元建新网格", "Make a new grid of the chosen units"),
    "redraw.tidy": ("清理飞地", "Tidy"),
    "redraw.tidy_title": (
        "把零散小块并入周围网格，拿不准的留下",
        "Give stray parts to the grid around; leave doubtful ones",
    ),
    "redraw.number": ("网格数", "Number"),
    "redraw.number_title": (
        "设定本村网格数并重新划分", "Set the village's number of grids and divide again",
    ),
    "redraw.propose": ("重新划分", "Propose"),
    "redraw.propose_title": (
        "重新划分未锁定的网格", "Propose the unlocked grids afresh",
    ),
    "redraw.lock": ("锁定", "Lock"),
    "redraw.lock_title": (
        "锁定的网格不增不减", "A locked grid neither loses nor gains",
    ),
    "redraw.unlock": ("解锁", "Unlock"),
    "redraw.lock_all": ("全锁", "Lock all"),
    "redraw.unlock_all": ("全解", "Unlock all"),
    "redraw.rename": ("改名", "Rename"),
    "redraw.kind": ("改类别", "Kind"),
    "redraw.kind_title": (
        "在综合网格与专属网格之间切换", "Switch between comprehensive and dedicated",
    ),
    "redraw.explain": ("说明", "Reason"),
    "redraw.explain_title": (
        "为例外填写原因，登记表会印出", "Give a reason for an exception; the register prints it",
    ),
    "redraw.by_grid": ("选整格", "Whole grids"),
    "redraw.by_grid_title": ("点击时选择整个网格", "A click chooses the whole grid"),
    "redraw.show_units": ("单元", "Units"),
    "redraw.show_units_title": ("显示单元边线", "Show the units' outlines"),
    "redraw.show_dots": ("户点", "Homes"),
    "redraw.show_dots_title": ("显示户数圆点", "Show households as dots"),
    "redraw.colours": ("按偏差着色", "Deviation"),
    "redraw.colours_title": (
        "按户数与目标的偏差着色", "Colour by households against the target",
    ),
    "redraw.fit": ("全村", "Fit"),
    "redraw.fit_title": ("显示全村", "Show the whole village"),
    "redraw.help": ("快捷键", "Shortcuts"),
    "redraw.help_title": ("快捷键 (?)", "Shortcuts (?)"),
    "redraw.all_units": ("选择全部单元", "Choose all units"),
    "redraw.key_shift": ("加选或去掉", "Add to the choice, or take away"),
    "redraw.key_walk": ("移到相邻单元", "Go to the next unit"),
    "redraw.key_toggle": ("选中光标处的单元", "Choose the unit at the cursor"),
    "redraw.key_enter": ("划入光标处的网格", "Give to the grid at the cursor"),
    "redraw.key_pen": ("画图工具：移动十字光标", "With a tool that draws: move the cross"),
    "redraw.key_pen_fine": ("小步移动", "in small steps"),
    "redraw.key_place": (
        "落一个点；涂抹、拖边界时按下与放开", "Put down a corner; press or release the brush",
    ),
    "redraw.key_back": ("去掉上一个点", "Take the last corner away"),
    "redraw.key_finish": ("画完", "The drawing is done"),
    "redraw.corners": ("点数", "Corners"),
    "redraw.more_corners": (
        "点数不够：线至少两个点，圈至少三个点。",
        "More corners are needed: two for a line, three for a loop.",
    ),
    "redraw.pen_down": (
        "已按下；方向键移动，空格放开，Esc 放弃。",
        "Pressed; arrows move, Space releases, Esc lets go.",
    ),
    "redraw.tour_map": (
        "地图：单击选一个单元，Shift 加选，双击选整个网格；拖动移动地图，滚轮缩放。",
        "The map: click a unit to choose it, Shift adds, a double click takes the whole grid. "
        "Drag to move the map, turn the wheel to zoom.",
    ),
    "redraw.tour_side": (
        "右侧：所选单元和网格的户数、偏差等；下面是全部网格、问题、历史和方案。",
        "Beside it: what is chosen, with its numbers; below, all grids, what is wrong, the history "
        "and the scenarios.",
    ),
    "redraw.tour_tools": (
        "工具：划入、涂抹、拖边界、画轮廓、画线拆分。拖动时两边户数随时更新；画线可沿单元，也可切开单元（Q）。",
        "The tools: give, brush, pull a border, draw an outline, cut by a line. Totals follow the "
        "mouse; lines run along the units or cut them (Q).",
    ),
    "redraw.tour_undo": (
        "每一步立即保存，可无限撤销、重做（Ctrl-Z、Ctrl-Shift-Z），刷新后仍可。锁定的网格不进不出。",
        "Every step is saved at once; undo and redo have no end (Ctrl-Z, Ctrl-Shift-Z), also after "
        "a reload. A locked grid neither loses nor gains.",
    ),
    "redraw.tour_wrong": (
        "不会拒绝任何改动；超限、飞地、被分割的小区等列在“问题”里，单击即可到达。"
        "确有原因时按 W 写明，登记表会打印。",
        "No change is refused: what is over a cap, astray or cut is listed here; a click goes "
        "there. Where there is a reason, press W and write it; the register prints it.",
    ),
    "redraw.tour_keys": (
        "全部快捷键在“?”里，那里也可以再看一遍本导览。",
        "All shortcuts are under “?”, and so is this tour.",
    ),
    "redraw.tour_next": ("下一步", "Next"),
    "redraw.tour_back": ("上一步", "Back"),
    "redraw.tour_skip": ("跳过", "Skip"),
    "redraw.tour_done": ("开始", "Begin"),
    "redraw.tour_show": ("导览", "Tour"),
    "redraw.key_escape": ("放弃；清除选择", "Let go; choose nothing"),
    "redraw.close": ("关闭", "Close"),
    "redraw.ok": ("确定", "OK"),
    "redraw.cancel": ("取消", "Cancel"),
    "redraw.grid": ("网格", "Grid"),
    "redraw.grids": ("网格", "Grids"),
    "redraw.unit": ("单元", "Unit"),
    "redraw.units": ("单元", "Units"),
    "redraw.households": ("户", "households"),
    "redraw.persons": ("人", "persons"),
    "redraw.deviation": ("偏差", "deviation"),
    "redraw.compactness": ("紧凑度", "compactness"),
    "redraw.reach": ("走访半径", "reach"),
    "redraw.on_lines": ("沿线", "on lines"),
    "redraw.reason": ("原因", "Reason"),
    "redraw.chosen_units": ("选中的单元", "Chosen units"),
    "redraw.nothing_chosen": (
        "点击地图选择单元，双击选择整个网格。",
        "Click the map to choose a unit, double click for its grid.",
    ),
    "redraw.nothing_wrong": ("没有发现问题。", "Nothing is wrong."),
    "redraw.tab_grids": ("网格", "Grids"),
    "redraw.tab_wrong": ("问题", "Wrong"),
    "redraw.tab_history": ("历史", "History"),
    "redraw.tab_scenarios": ("方案", "Scenarios"),
    "redraw.search": ("按名称或代码查找", "Find by name or code"),
    "redraw.branch": ("另建分支…", "Branch…"),
    "redraw.rename_scenario": ("改名…", "Rename…"),
    "redraw.branch_name": ("新方案的名称", "Name of the new scenario"),
    "redraw.scenario_name": ("方案名称", "Name of the scenario"),
    "redraw.first_scenario": ("初始方案", "First plan"),
    "redraw.changes": ("{count} 次改动", "{count} changes"),
    "redraw.start": ("初始方案", "As proposed"),
    "redraw.split_into": ("拆成几份", "Parts"),
    "redraw.number_of": ("综合网格数", "Comprehensive grids"),
    "redraw.new_name": ("新名称", "New name"),
    "redraw.choose_grid": ("请先选择一个网格。", "Choose one grid first."),
    "redraw.choose_two": ("请先选择两个以上的网格。", "Choose two or more grids first."),
    "redraw.choose_units": ("请先选择单元。", "Choose units first."),
    "redraw.no_border": (
        "请按在两个网格之间的边界上。", "Press on the border between two grids.",
    ),
    "redraw.border_locked": (
        "其中一个网格已锁定，边界不能移动。", "One of the two grids is locked; its border stays.",
    ),
    "redraw.told_done": (
        "{step}：{units} 个单元、{households} 户换格。",
        "{step}: {units} units with {households} households changed grid.",
    ),
    "redraw.told_step": ("{step}：已保存。", "{step}: saved."),
    "redraw.told_part": (
        "{step}：{units} 个单元换格，{left} 个因锁定未动。",
        "{step}: {units} units changed grid; {left} stayed, locked.",
    ),
    "redraw.told_cut": (
        "{step}：{units} 个单元、{households} 户换格；切开后多出 {cut} 个单元。",
        "{step}: {units} units with {households} households changed grid; cutting made {cut} more.",
    ),
    "redraw.told_tidy": (
        "清理飞地：移动了 {units} 个单元，留下 {doubtful} 处拿不准的。",
        "Tidied: {units} units moved, {doubtful} doubtful parts left.",
    ),
    "redraw.told_locked": (
        "{step}：网格已锁定，{left} 个单元未动。",
        "{step}: nothing moved; {left} units are locked.",
    ),
    "redraw.told_nothing": ("没有可改动的。", "There was nothing to change."),
    "redraw.told_undo": ("已撤销：{step}", "Undone: {step}"),
    "redraw.told_redo": ("已重做：{step}", "Done again: {step}"),
    "redraw.told_goto": ("已回到第 {at} 步。", "Now at step {at}."),
    "redraw.told_branch": ("已建立方案“{name}”。", "Scenario “{name}” made."),
    "redraw.told_renamed": ("方案已改名为“{name}”。", "The scenario is now “{name}”."),
    "redraw.told_open": ("已打开方案“{name}”。", "Scenario “{name}” opened."),
    "redraw.told_bad_unknown": ("不认识这个操作。", "This request is not known."),
    "redraw.told_bad_units": ("单元不存在。", "There are no such units."),
    "redraw.told_bad_grid": ("网格不存在。", "There is no such grid."),
    "redraw.told_bad_grids": ("网格不存在。", "There are no such grids."),
    "redraw.told_bad_number": ("数目须在 1 到 899 之间。", "The number must be from 1 to 899."),
    "redraw.told_bad_shape": ("画的线太短，请重画。", "The line is too short; draw it again."),
    "redraw.told_bad_cut": (
        "这条线无法准确切开单元，没有改动；请换个位置重画。",
        "The units cannot be cut exactly along this line; nothing was changed, draw it elsewhere.",
    ),
    "redraw.told_bad_text": ("请填写文字。", "Please write a text."),
    # --- download
    "download.empty": (
        "还没有可下载的方案。先在“网格方案”页生成。",
        "There is no plan to download yet. Propose one on the page “Grid plan”.",
    ),
    "download.lead": (
        "每个文件都注明：内部使用,未经地图审核不得公开；网格界线不是行政区域界线。"
        "文件不含个人信息。",
        "Every file says: 内部使用,未经地图审核不得公开 (internal use, not for publication before "
        "map review), and that grid borders are no administrative boundaries. None holds personal "
        "data.",
    ),
    "download.gpkg": ("GeoPackage", "GeoPackage"),
    "download.gpkg_text": (
        "完整方案：网格、村、户（仅编号与户数）、例外、来源。可用 QGIS 打开，也可用本程序检查。",
        "The whole plan: grids, villages, households (numbers only), exceptions, provenance. For "
        "QGIS, and for this program's own check.",
    ),
    "download.geojson": ("GeoJSON", "GeoJSON"),
    "download.geojson_text": ("网格，经纬度坐标。", "The grids, in longitude and latitude."),
    "download.shapefile": ("Shapefile（UTF-8）", "Shapefile (UTF-8)"),
    "download.shapefile_text": (
        "网格和村，英文短字段名，压缩包内附字段说明。",
        "Grids and villages with short English column names; a list of them is inside the zip.",
    ),
    "download.shapefile_gbk": ("Shapefile（GBK）", "Shapefile (GBK)"),
    "download.shapefile_gbk_text": (
        "网格和村，中文字段名，供旧版 ArcGIS、SuperMap 等使用。",
        "Grids and villages with Chinese column names, for older desktop programs.",
    ),
    "download.register": ("网格划分登记表（Excel）", "Grid division register (Excel)"),
    "download.register_text": (
        "每个乡镇一张、一格一行，含四至、人员、例外原因；另附分级汇总、例外和来源，可直接打印。",
        "A sheet a township, a row a grid, with bounds, posts and reasons; sums of every level, "
        "exceptions and provenance on further sheets; ready to print.",
    ),
    "download.not_gbk": (
        "方案中有 GBK 无法表示的汉字，请用 UTF-8 的 Shapefile。",
        "A name holds characters that GBK cannot write; take the Shapefile in UTF-8.",
    ),
    "download.button": ("下载", "Download"),
    "download.file_name": ("网格方案", "grid-plan"),
    "download.register_name": ("网格划分登记表", "grid-division-register"),
    # --- errors
    "error.map_library": (
        "地图组件没有安装，请管理员运行 make setup。",
        "The map library is not installed; ask the administrator to run make setup.",
    ),
    "error.folder_not_allowed": (
        "不允许读取这个文件夹。请管理员在 GRIDWRIGHT_FOLDERS 中加入它，或改用上传。",
        "This folder may not be read. Ask the administrator to add it to GRIDWRIGHT_FOLDERS, or "
        "upload the files.",
    ),
    "error.events_busy": (
        "正在读取本县事件；请等读完后再试一次，刚才的操作没有执行。",
        "The county's events are being read just now; nothing was done. Try again when they are "
        "there.",
    ),
    "error.gone": (
        "服务器已不再保存这个项目（可能重启过）。请重新打开。",
        "The server no longer holds this project (it may have been restarted). Please open it "
        "again.",
    ),
    "error.memory": (
        "内存不足。请减少文件，或请管理员增加内存。",
        "There is not enough memory. Use smaller files, or ask the administrator for more memory.",
    ),
    "error.worker_died": (
        "计算进程意外结束，请重试；若再次发生，请减少数据量。",
        "A worker process ended unexpectedly; try again, and if it happens again use less data.",
    ),
    "error.zip": ("压缩包已损坏，请重新打包。", "The zip file is damaged; please pack it again."),
    "error.file_missing": (
        "文件或文件夹不存在，请检查路径。", "The file or folder does not exist; check the path.",
    ),
    "error.permission": (
        "服务器没有读取权限，请检查文件权限。",
        "The server may not read this; check the file's permissions.",
    ),
    "error.timeout": (
        "用时过长，已停止。请简化文件。",
        "It took too long and was stopped; simplify the file.",
    ),
    "error.disk_full": (
        "服务器磁盘已满，请管理员清理。",
        "The server's disk is full; ask the administrator to make room.",
    ),
    "error.unforeseen": (
        "程序遇到意外问题，编号 {number}。请把编号告诉管理员，日志中可查。",
        "Something unforeseen happened, number {number}. Tell the administrator this number; the "
        "log has it.",
    ),
}  # fmt: skip
WORDS |= SCENARIOS | KEPT | BEATS | SHEETS | TAKING | TOGETHER
WORDS |= INCIDENTS | ACCESS
WORDS |= FILING | LEVELS | MICRO | OVERVIEW


def known(key: str) -> bool:
    """Is there a text under ``key``?"""
    return key in WORDS


def word(key: str, language: Language, **values: object) -> str:
    """The text under ``key``. Raises KeyError for an unknown key or a missing placeholder."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def chosen_language(override: str | None, locale: str | None) -> Language:
    """The language to use: the user's switch, else the browser's (any Chinese -> Chinese)."""
    if override in LANGUAGES:
        return "zh" if override == "zh" else "en"
    return "zh" if (locale or "").lower().startswith("zh") else "en"
