"""Texts of the pages of events: Chinese, English."""

INCIDENTS: dict[str, tuple[str, str]] = {
    "page.leader": ("事件一张图", "Events at a glance"),
    "page.incidents": ("事件分析", "Events: analysis"),
    "job.counting": ("正在统计事件…", "Counting events …"),
    "job.protecting": ("正在检查小数保护…", "Protecting small counts …"),
    # --- bringing events in
    "incidents.no_project": (
        "请先打开一个县区（村界或网格方案），再看事件。",
        "Open a county first (villages or a plan); then its events can be counted.",
    ),
    "incidents.no_events": (
        "这个项目没有事件文件。请由分析人员在“事件分析”页上传，或把事件文件放进项目文件夹。",
        "This project has no file of events. An analyst uploads one on “Events: analysis”, or puts "
        "it into the project's folder.",
    ),
    "incidents.upload": ("上传事件文件", "Upload files of events"),
    "incidents.upload_text": (
        "12345 热线、110 非警务警情、网格员上报、矛盾纠纷、感知设备等，"
        "列可以各不相同，可一次选多个。"
        "只保留时间、位置、类别、来源、状态、部门；姓名、电话等在读入时丢弃。",
        "Hotline, non-police calls, grid workers' reports, disputes, sensors; several files with "
        "different columns at once. Kept are time, place, kind, source, state, department; names "
        "and telephone numbers are dropped while reading.",
    ),
    "incidents.read": ("读取", "Read"),
    "incidents.other_files": ("换一批事件文件", "Use other files of events"),
    "incidents.renew": ("方案已改动：按现在的网格重新统计", "The plan has changed: count anew"),
    # --- choices
    "incidents.period": ("时段", "Period"),
    "incidents.category": ("类别", "Class"),
    "incidents.all_time": ("全部时段", "All of the time"),
    "incidents.year": ("{year} 年", "{year}"),
    "incidents.month": ("{year} 年 {month} 月", "{year}-{month:02d}"),
    "incidents.all_kinds": ("全部类别", "All classes"),
    # --- the five numbers
    "incidents.events": ("群众报告的事件", "Events reported by people"),
    "incidents.on_period": ("环比（上一期）", "On the period before"),
    "incidents.on_year": ("同比（去年同期）", "On last year"),
    "incidents.per_10000": ("每万人每年", "Per 10,000 people a year"),
    "incidents.closed": ("办结率", "Closed"),
    "incidents.note_elsewhere": (
        "含无位置或区外 {count}", "{count} without a place or outside",
    ),
    "incidents.note_all_time": ("全部时段、全部类别", "all time, all classes"),
    # --- the map
    "incidents.density": ("每平方公里每年事件", "Events per km² a year"),
    "incidents.not_significant": ("不显著", "not significant"),
    "incidents.trend": ("变化", "Course"),
    "incidents.hot": ("显著偏高的地方", "Significantly high"),
    "incidents.areas": ("乡镇（街道）界", "Townships"),
    "incidents.numbers": ("重点编号", "Numbers of places"),
    "incidents.class": ("密度等级", "Density"),
    # --- ten places
    "incidents.side": ("右侧", "Beside the map"),
    "incidents.side_places": ("重点地方", "Places to look at"),
    "incidents.side_areas": ("各区域", "Areas"),
    "incidents.side_months": ("逐月", "By month"),
    "incidents.place_number": ("号", "No."),
    "incidents.place_where": ("在哪里", "Where"),
    "incidents.place_why": ("为什么", "Why"),
    "incidents.no_places": (
        "这个时段、这个类别没有显著偏高的地方：差别在偶然范围之内。",
        "No place is significantly high in this period and class: the differences are chance.",
    ),
    "incidents.go_there": ("点击一行，地图移到那里。", "Click a row: the map goes there."),
    "incidents.and": ("{a}、{b}", "{a}, {b}"),
    "incidents.then": ("{a}，{b}", "{a}; {b}"),
    "incidents.near_one": ("{a}附近", "near {a}"),
    "incidents.near_two": ("{a}与{b}一带", "around {a} and {b}"),
    "incidents.band_low": ("不到 2 倍", "up to 2 times"),
    "incidents.band": ("{low}–{high} 倍", "{low} to {high} times"),
    "incidents.band_high": ("{low} 倍以上", "over {low} times"),
    "incidents.why_households": (
        "是按户数应有的 {band}", "{band} what its households would explain",
    ),
    "incidents.why_ground": ("是平均分布的 {band}", "{band} what an even spread would give"),
    "incidents.why_months": ("{all} 期中有 {hot} 期偏高", "high in {hot} of {all} periods"),
    "incidents.why_mainly": ("主要是{name}", "mainly {name}"),
    "incidents.course_new": ("新出现", "new"),
    "incidents.course_growing": ("在加重", "growing"),
    "incidents.course_persistent": ("持续", "persistent"),
    "incidents.course_fading": ("在减轻", "fading"),
    "incidents.course_former": ("过去有、现已消退", "former"),
    "incidents.course_none": ("无", "none"),
    # --- areas
    "incidents.area": ("区域", "Area"),
    "incidents.count": ("事件数", "Events"),
    "incidents.rate": ("每千人", "Per 1,000"),
    "incidents.small": (
        "“<3”为 0–2 件；“—”为保护小数而不显示，或没有可比的时段；少于 10 件不算率。",
        "“<3” is 0 to 2; “—” is withheld to protect small counts, or has nothing to compare with; "
        "no rate under 10.",
    ),
    # --- notes
    "incidents.note_piles": (
        "{count} 条事件堆在同一坐标，尚未确认，未上图，仍计入合计。",
        "{count} events are piled up at one coordinate and not confirmed; they are off the map and "
        "stay in the totals.",
    ),
    "incidents.note_sensitive": (
        "敏感类别不在此图；只按警格以上、{least} 件起给出。",
        "Sensitive kinds are not on this map; they are given by beat and coarser, from {least}.",
    ),
    "incidents.note_no_hot": (
        "没有显著偏高的格子。", "No cell is significantly high.",
    ),
    "incidents.meaning": (
        "着色的是显著高于偶然的地方（Gi*，已做多重检验校正），各月颜色含义相同；灰色不显著。"
        "这是报告的事件，不是全部实情；人多的地方报告也多。"
        "只有区域，没有点；少于 {least} 户的格子不显示。",
        "Coloured where there is significantly more than chance (Gi*, corrected for many tests); a "
        "colour means the same in every month; grey is not significant. Reported events, not all "
        "that happened; busy places have more people. Areas only, no points; cells with fewer than "
        "{least} households are not shown.",
    ),
    # --- taking it away
    "incidents.html": ("导出地图文件（可发送）", "Map as a file to send"),
    "incidents.html_help": (
        "一个 HTML 文件，无需网络，双击即可打开。", "One HTML file; opens anywhere, no network.",
    ),
    "incidents.pdf": ("导出打印页（PDF）", "Sheet to print (PDF)"),
    "incidents.file_name": ("事件一张图", "events"),
    "incidents.no_font": (
        "服务器没有中文字体，无法生成 PDF；请管理员安装 fonts-noto-cjk。",
        "The server has no font with Chinese characters, so no PDF can be made; ask the "
        "administrator to install fonts-noto-cjk.",
    ),
    "incidents.sources": ("数据与参数", "Data and parameters"),
    "incidents.north": ("北", "N"),
}
