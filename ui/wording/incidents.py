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
    "incidents.renew_help": (
        "领导可见的往年网格数字只给没有改动过的网格；不做前后两套网格相减。",
        "Of years that were told before, leaders then see only grids that were not redrawn: the "
        "two drawings are not to be subtracted.",
    ),
    "incidents.part_villages": ("{count} 个村（社区）", "{count} villages"),
    "incidents.part_only": (
        "您看到的是本县的一部分；事件文件和这张对照表由全县统一设定。",
        "You see a part of the county; its events and this table are set for all of it.",
    ),
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
    "incidents.short_period": ("环比", "vs before"),
    "incidents.short_year": ("同比", "vs last year"),
    "incidents.per_10000": ("每万人每年", "Per 10,000 people a year"),
    "incidents.per_1000_homes": ("每千户每年", "Per 1,000 households a year"),
    "incidents.closed": ("办结率", "Share closed"),
    "incidents.note_months": ("本年 {count} 个月", "{count} months of this year"),
    "incidents.note_elsewhere": (
        "另有 {count} 件无位置或在区外", "{count} more without a place or outside",
    ),
    "incidents.note_from": ("始于 {month}之中", "from within {month}"),
    "incidents.note_until": ("止于 {month}之中", "until within {month}"),
    "incidents.note_part": (
        "有一期不完整，不比较", "one of the two is told in part: not compared",
    ),
    "incidents.month_names": (
        "1 月|2 月|3 月|4 月|5 月|6 月|7 月|8 月|9 月|10 月|11 月|12 月",
        "January|February|March|April|May|June|July|August|September|October|November|December",
    ),
    "incidents.note_withheld": (
        "有部分为保护小数而不显示", "a part is withheld to protect small counts",
    ),
    "incidents.note_none": ("没有这类上报事件", "nobody reported such an event"),
    "incidents.note_by_year": ("乡镇按年给出", "of a township by year"),
    "incidents.note_all_kinds": ("全部类别", "all classes"),
    # --- the map
    "incidents.density": ("每平方公里每年事件", "Events per km² a year"),
    "incidents.lowest": ("更低", "lower"),
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
        "这个时段、这个类别没有可以显示的显著偏高的地方：差别在偶然范围之内，或事件太少。",
        "No place that may be shown is significantly high in this period and class: the "
        "differences are chance, or the events too few.",
    ),
    "incidents.go_there": ("点击编号，地图移到那里。", "Click a number: the map goes there."),
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
    "incidents.why_people": (
        "是按人口应有的 {band}", "{band} what its residents would explain",
    ),
    "incidents.why_nobody": (
        "这里没有住户，事件远多于偶然", "nobody lives right here; far more than chance",
    ),
    "incidents.why_ground": ("是平均分布的 {band}", "{band} what an even spread would give"),
    "incidents.why_months": (
        "{all} 个月中有 {hot} 个月偏高", "high in {hot} of {all} months",
    ),
    "incidents.why_quarters": (
        "{all} 个季度中有 {hot} 个季度偏高", "high in {hot} of {all} quarters",
    ),
    "incidents.why_years": ("{all} 年中有 {hot} 年偏高", "high in {hot} of {all} years"),
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
    "incidents.rate_homes": ("每千户", "Per 1,000 homes"),
    "incidents.areas_withheld": (
        "这个时段有些月份事件太少，各区域的数都为保护小数而不显示；请选事件多的一个月或一年。",
        "Some months of this period are so quiet that every area's number is withheld to protect "
        "small counts; choose a busy month or year.",
    ),
    "incidents.small": (
        "“<3”为 0–2 件；“—”为保护小数而不显示，或没有可比的时段；少于 10 件不算率。",
        "“<3” is 0 to 2; “—” is withheld to protect small counts, or has nothing to compare with; "
        "no rate under 10.",
    ),
    # --- notes
    "incidents.note_piles": (
        "{share} 的事件堆在个别坐标上，尚未确认，未上图，仍计入合计。",
        "{share} of the events are piled up at single coordinates and not confirmed; they are off "
        "the map and stay in the totals.",
    ),
    "incidents.note_begins": (
        "数据从 {year} 年 {month}之中开始：这个月不完整，不与别的时段比较。",
        "The data begin within {month} {year}: that month is told in part and compared with none.",
    ),
    "incidents.note_ends": (
        "数据止于 {year} 年 {month}之中：这个月不完整，不与别的时段比较。",
        "The data end within {month} {year}: that month is told in part and compared with none.",
    ),
    "incidents.note_source": (
        "{share} 的事件未注明来源，按群众报告计。",
        "{share} of the events do not tell their source and count as reported by people.",
    ),
    "incidents.note_sensitive": (
        "敏感类别不在此图；只按警格以上、{least} 件起给出。",
        "Sensitive kinds are not on this map; they are given by beat and coarser, from {least}.",
    ),
    "incidents.note_no_hot": (
        "没有可以显示的显著偏高的格子。", "No cell that may be shown is significantly high.",
    ),
    "incidents.note_no_sensitive": ("不含敏感类别", "without sensitive kinds"),
    "incidents.note_apart": (
        "相差十倍以上，数据可能不全，不比较",
        "over tenfold apart: perhaps partial data, not compared",
    ),
    "incidents.note_no_persons": (
        "{count} 个区域没有人口数", "areas without their people: {count}",
    ),
    "incidents.meaning": (
        "着色的是显著高于偶然的地方（Gi*，已做多重检验校正），各月颜色含义相同；灰色不显著。"
        "这是报告的事件，不是全部实情；人多的地方报告也多。"
        "只有区域，没有点；少于 {homes} 户的格子、连同周围不足 {least} 件事件的格子不显示。",
        "Coloured where there is significantly more than chance (Gi*, corrected for many tests); a "
        "colour means the same in every month; grey is not significant. Reported events, not all "
        "that happened; busy places have more people. Areas only, no points; not shown are cells "
        "of fewer than {homes} households, and of fewer than {least} events with their neighbours.",
    ),
    "incidents.meaning_people": (
        "着色的是显著高于偶然的地方（Gi*，已做多重检验校正），各月颜色含义相同；灰色不显著。"
        "与人口相比：户数由人口估算。这是报告的事件，不是全部实情；人多的地方报告也多。"
        "只有区域，没有点；约少于 {homes} 户（由人口估算）的格子、连同周围不足 {least} 件事件的"
        "格子不显示。",
        "Coloured where there is significantly more than chance (Gi*, corrected for many tests); a "
        "colour means the same in every month; grey is not significant. Compared with residents: "
        "households are estimated from them. Reported events, not all that happened; busy places "
        "have more people. Areas only, no points; not shown are cells of fewer than about {homes} "
        "households, estimated from residents, and of fewer than {least} events with their "
        "neighbours.",
    ),
    "incidents.meaning_ground": (
        "着色的是显著高于平均分布的地方（Gi*，已做多重检验校正），各月颜色含义相同；灰色不显著。"
        "没有户数，不能按人口比较：人多的地方自然事件多。这是报告的事件，不是全部实情。"
        "只有区域，没有点；连同周围不足 {least} 件事件的格子不显示。",
        "Coloured where there is significantly more than an even spread (Gi*, corrected for many "
        "tests); a colour means the same in every month; grey is not significant. No households "
        "are known to compare with: busy places have more events. Reported events, not all that "
        "happened. Areas only, no points; not shown are cells of fewer than {least} events with "
        "their neighbours.",
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
    # --- the analysts' page
    "incidents.part_quality": ("数据质量", "Fitness"),
    "incidents.part_kinds": ("类别对照", "Classes"),
    "incidents.part_spots": ("热点", "Hot spots"),
    "incidents.part_areas": ("区域", "Areas"),
    "incidents.part_time": ("时间", "Time"),
    "incidents.part_loop": ("闭环", "The loop"),
    "incidents.part_trust": ("可信度", "Trust"),
    "incidents.part_files": ("文件", "Files"),
    "incidents.months": ("时段（月）", "Period (months)"),
    "incidents.source": ("来源", "Source"),
    "incidents.source_reported": ("群众报告", "Reported by people"),
    "incidents.source_all": ("报告和巡查发现", "Reported and found on patrol"),
    "incidents.source_discovered": ("巡查发现", "Found on patrol"),
    "incidents.without_piles": ("不计未确认的堆点", "Leave piles out"),
    # --- fitness
    "incidents.no_map": (
        "只有 {share} 的事件有可用位置，低于 85 %：以下地图都不可靠。",
        "Only {share} of the events have a usable place, under 85 %: no map below can be "
        "relied on.",
    ),
    "incidents.quality_read": ("读入事件", "Events read"),
    "incidents.quality_placed": ("有可用位置", "With a usable place"),
    "incidents.quality_repeats": ("读入时去掉的重复行", "Repeated rows left out"),
    "incidents.quality_unmapped": ("没有归类", "Without a class"),
    "incidents.quality_piled": ("未确认的堆点事件", "In unconfirmed piles"),
    "incidents.pile_real": ("确为真实位置", "It is a real place"),
    "incidents.dropped": (
        "{file}：“{column}”列是个人信息，已丢弃（{count}）。",
        "{file}: the column {column} holds personal data and was dropped ({count}).",
    ),
    # --- classes
    "incidents.list": ("类别表", "List of classes"),
    "incidents.list_six": ("六大类", "Six classes"),
    "incidents.list_three": ("三件事（家里、邻里、村里）", "Three (family, neighbours, village)"),
    "incidents.list_seven": ("七类矛盾纠纷", "Seven fields of disputes"),
    "incidents.no_class": ("（未归类）", "(no class)"),
    "incidents.kinds_missing": (
        "有 {count} 种说法没有归类，排在最前；它们仍计入合计。",
        "{count} kinds have no class; they stand first, and stay in every total.",
    ),
    "incidents.kind_words": ("文件中的说法", "Words of the files"),
    "incidents.sensitive": ("敏感", "Sensitive"),
    "incidents.kinds_text": (
        "敏感类别不上领导的地图，只按警格以上、5 件起给出。",
        "Sensitive kinds are not on the leaders' map; they are given by beat and coarser, from "
        "five.",
    ),
    "incidents.kinds_use": ("采用这张对照表", "Use this table"),
    # --- hot spots
    "incidents.view": ("地图", "Map"),
    "incidents.view_gi": ("显著性（Gi*）", "Significance (Gi*)"),
    "incidents.view_density": ("密度（每平方公里每年）", "Density (per km² a year)"),
    "incidents.everywhere": ("不显著的地方也画", "Also where it is not significant"),
    "incidents.everywhere_help": (
        "平常只画显著偏高的地方：其余的深浅可能只是偶然。",
        "Usually only what is significantly high is drawn: other shades may be chance.",
    ),
    "incidents.kernel": ("核函数", "Kernel"),
    "incidents.kernel_quartic": ("四次核", "Quartic"),
    "incidents.kernel_gaussian": ("高斯核", "Gaussian"),
    "incidents.kernel_help": (
        "四次核到带宽为止；高斯核以带宽为标准差，同样的带宽画得更平。",
        "Quartic ends at the bandwidth; for Gaussian it is the standard deviation, so the same "
        "bandwidth draws smoother.",
    ),
    "incidents.bandwidth": ("带宽（米）", "Bandwidth (m)"),
    "incidents.bandwidth_help": (
        "200–400 米看得出地方；更大的带宽只剩城区与乡村之别。可信度和分析文件也按此计算。",
        "200 to 400 m show places; more shows only town against country. Trust and the analysts' "
        "file go by it, too.",
    ),
    "incidents.density_how": (
        "密度：{kernel}，带宽 {metres} 米。", "Density: {kernel} kernel, bandwidth {metres} m.",
    ),
    "incidents.view_course": ("变化", "Course"),
    "incidents.cell_count": ("本格事件", "Events in the cell"),
    "incidents.cell_around": ("含周围八格", "With its neighbours"),
    "incidents.cell_expected": ("应有", "Expected"),
    "incidents.cell_z": ("Gi* 值", "Gi*"),
    "incidents.cell_q": ("校正后 q 值", "q (corrected)"),
    "incidents.gi_hot": ("偏高 {level} %", "high {level} %"),
    "incidents.gi_cold": ("偏低 {level} %", "low {level} %"),
    "incidents.hot_periods": ("偏高期数", "Periods high"),
    "incidents.points": ("事件点（仅限分析）", "Events (analysts only)"),
    "incidents.points_of": ("显示哪里的事件点", "Show the events of"),
    "incidents.no_points": ("不显示", "nowhere"),
    "incidents.event_time": ("时间", "Time"),
    "incidents.event_category": ("大类", "Kind"),
    "incidents.event_subtype": ("小类", "Sub-kind"),
    "incidents.event_source": ("来源", "Source"),
    "incidents.spots_told": (
        "{cells} 个格子中 {hot} 个显著偏高、{cold} 个显著偏低；{all} 条事件中 {mapped} 条上图。",
        "{hot} cells of {cells} significantly high, {cold} low; {mapped} of {all} events mapped.",
    ),
    "incidents.gi_text": (
        "Gi* 含本格和周围八格，双侧检验，按全部格子校正（Benjamini-Hochberg）；"
        "有户数时与户数相比。",
        "Gi* of the cell and its neighbours, two-sided, corrected over all cells "
        "(Benjamini-Hochberg), against households where they are known.",
    ),
    "incidents.clusters": ("聚集范围（HDBSCAN）", "Clusters (HDBSCAN)"),
    "incidents.clusters_text": (
        "聚集只说明靠得近，不是显著性检验；轮廓由整格组成。",
        "Clusters say what is close together and test nothing; outlines are whole cells.",
    ),
    "incidents.per_km2": ("每平方公里", "Per km²"),
    "incidents.too_many": (
        "超过 {most} 条，请缩短时段。", "More than {most} events: choose a shorter period.",
    ),
    "incidents.scan": ("扫描统计（泊松）", "Scan statistic (Poisson)"),
    "incidents.scan_text": (
        "圆内事件相对于人口；p 是对全图只做一次的检验；圆最多含 10 % 的人口。",
        "Events in a circle against its people; one p for the whole map; a circle holds at most "
        "10 % of the people.",
    ),
    "incidents.scan_people": (
        "没有人口或户数，无法扫描。", "There are no residents or households to scan against.",
    ),
    "incidents.scan_where": ("中心", "Middle"),
    "incidents.scan_radius": ("半径（米）", "Radius (m)"),
    "incidents.scan_areas": ("区域数", "Areas"),
    "incidents.scan_risk": ("相对风险", "Relative risk"),
    "incidents.scan_p": ("p 值", "p"),
    "incidents.near": ("近距重复（Knox）", "Near repeats (Knox)"),
    "incidents.near_text": (
        "行为距离（米），列为相隔天数；实际对数除以应有对数，* 为 p ≤ 0.05，括号内为对数。",
        "Rows are metres, columns days apart; pairs found over pairs expected, * where p ≤ 0.05, "
        "pairs in brackets.",
    ),
    "incidents.near_limits": (
        "需要有日期和位置的事件，且不超过 {most} 条；请缩短时段或选一个类别。",
        "Needs events with a day and a place, and no more than {most}; choose a shorter period or "
        "one class.",
    ),
    # --- areas
    "incidents.level": ("层级", "Level"),
    "incidents.measure": ("着色依据", "Coloured by"),
    "incidents.measure_rate_smoothed": (
        "每千人每年（平滑）", "Smoothed, per 1,000 a year",
    ),
    "incidents.measure_rate_per_1000": ("每千人每年", "Per 1,000 a year"),
    "incidents.measure_rate_smoothed_homes": (
        "每千户每年（平滑）", "Smoothed, per 1,000 homes a year",
    ),
    "incidents.measure_rate_per_1000_homes": ("每千户每年", "Per 1,000 homes a year"),
    "incidents.measure_density": ("每平方公里每年", "Per km² a year"),
    "incidents.measure_closure_rate": ("办结率", "Closed"),
    "incidents.measure_change_on_year": ("同比", "Change on last year"),
    "incidents.not_enough": ("不足 10 件或无数据", "under 10 events, or no data"),
    "incidents.areas_text": (
        "不按件数着色：面积和人口不同的区域不能比件数。率和密度按年计。"
        "平滑为经验贝叶斯；界限为漏斗图的偶然范围。",
        "Never coloured by counts: areas differ in size and people. Rates and densities are a "
        "year's. Smoothed by empirical Bayes; limits are what chance allows (funnel).",
    ),
    "incidents.outside": ("区域之外", "Outside"),
    "incidents.unplaced": ("没有位置", "Without a place"),
    "incidents.unusual_high": ("偏高", "high"),
    "incidents.unusual_low": ("偏低", "low"),
    "incidents.col_code": ("编码", "Code"),
    "incidents.col_name": ("区域", "Area"),
    "incidents.col_unusual": ("异常", "Unusual"),
    "incidents.col_count": ("事件数", "Events"),
    "incidents.col_rate_per_1000": ("每千人", "Per 1,000"),
    "incidents.col_rate_smoothed": ("平滑后", "Smoothed"),
    "incidents.col_rate_low": ("下限", "Lower limit"),
    "incidents.col_rate_high": ("上限", "Upper limit"),
    "incidents.col_density": ("每平方公里", "Per km²"),
    "incidents.col_persons": ("人口", "People"),
    "incidents.col_closure_rate": ("办结率", "Closed"),
    "incidents.col_change_on_period": ("环比", "On the period before"),
    "incidents.col_change_on_year": ("同比", "On last year"),
    # --- time
    "incidents.one": ("月份", "Month"),
    "incidents.play": ("播放", "Play"),
    "incidents.stop": ("停止", "Stop"),
    "incidents.one_month": ("只有一个月的数据。", "The data tell of one month only."),
    "incidents.week": ("小时 × 星期", "Hour by weekday"),
    "incidents.weekdays": ("周一 周二 周三 周四 周五 周六 周日", "Mon Tue Wed Thu Fri Sat Sun"),
    "incidents.week_text": (
        "{used} 条有钟点；其中 {spread} 条只知道时间段，按比例分摊；{rest} 条没有钟点，未计入。",
        "{used} with an hour, {spread} of them spread over an interval; {rest} without one are "
        "left out.",
    ),
    "incidents.week_none": (
        "事件没有钟点，无法按小时和星期统计。",
        "The events tell no hour: nothing can be said by hour and weekday.",
    ),
    "incidents.week_months": (
        "事件只有月份，无法按小时和星期统计。",
        "The events tell only their month: nothing can be said by hour and weekday.",
    ),
    "incidents.week_days": (
        "事件只有日期，没有钟点，无法按小时统计。",
        "The events tell their day and no hour: nothing can be said by hour.",
    ),
    "incidents.changes": ("同比与环比", "Against earlier periods"),
    "incidents.elsewhere": ("区外或无位置", "Elsewhere"),
    "incidents.changes_choose": (
        "请在上方选一段时间，再与上一期和去年同期比较。",
        "Choose a period above to compare it with the one before and with last year.",
    ),
    "incidents.courses": ("格子的变化：", "Cells:"),
    "incidents.courses_none": (
        "不足六期，不能说明变化。", "Fewer than six periods: nothing is said about the course.",
    ),
    # --- the loop
    "incidents.by": ("按", "By"),
    "incidents.by_department": ("部门", "Department"),
    "incidents.by_class": ("类别", "Class"),
    "incidents.by_category": ("文件中的大类", "Kind in the files' words"),
    "incidents.untold": ("未注明", "not told"),
    "incidents.loop_told": (
        "区内办结 {closed} / 派遣 {sent} = {shown}；每万人每年 {rate} 件",
        "in the county closed {closed} of {sent} dispatched = {shown}; {rate} per 10,000 people a "
        "year",
    ),
    "incidents.loop_untold": (
        "文件没有说明事件状态，无法统计办结；每万人每年 {rate} 件",
        "No file tells what became of the events, so nothing is said of closing; {rate} per 10,000 "
        "people a year",
    ),
    "incidents.loop_elsewhere": (
        "另有 {count} 件无位置或在区外，只计入下表。",
        "{count} more have no place or lie outside; they stand in the table below only.",
    ),
    "incidents.loop_sent": ("派遣", "Dispatched"),
    "incidents.loop_closed": ("办结", "Closed"),
    "incidents.loop_late": ("超期未结", "Open after the limit"),
    "incidents.loop_closed_late": ("超期办结", "Closed after the limit"),
    "incidents.loop_disputes": (
        "其中矛盾纠纷 {count} 件；每万人每年 {rate} 件（按文件中的说法判断）",
        "of these {count} disputes; {rate} per 10,000 people a year (by the files' words)",
    ),
    "incidents.loop_median": ("办结天数（中位）", "Days, median"),
    "incidents.loop_p90": ("办结天数（九成）", "Days, 90 %"),
    "incidents.peace": ("平安指数", "Peace index"),
    "incidents.peace_indicator": ("指标", "Indicator"),
    "incidents.peace_weight": ("权重（0 为不用）", "Weight (0: unused)"),
    "incidents.peace_best": ("得 100 分", "Scores 100"),
    "incidents.peace_worst": ("得 0 分", "Scores 0"),
    "incidents.peace_events": ("每万人每年事件", "Events per 10,000 a year"),
    "incidents.peace_closure": ("办结率（0–1）", "Closure (0 to 1)"),
    "incidents.peace_late": ("超期未结占派遣（0–1）", "Open after the limit (0 to 1)"),
    "incidents.peace_days": ("办结天数中位", "Days to close, median"),
    "incidents.peace_disputes": (
        "每万人每年矛盾纠纷", "Disputes per 10,000 a year",
    ),
    "incidents.peace_wrong": (
        "至少一个指标的权重要大于 0，且 100 分值与 0 分值不同。",
        "At least one weight above 0, and different values for 100 and 0.",
    ),
    "incidents.peace_unknown": (
        "数据没有这些指标，未计入：{names}。",
        "The data do not tell these, they are left out: {names}.",
    ),
    "incidents.peace_flat": (
        "各区域得分相同：请按本地数据调整 100 分和 0 分的取值。",
        "Every area scores the same: set the values for 100 and 0 by your own data.",
    ),
    "incidents.peace_none": (
        "数据没有任何一个指标，无法计算平安指数。",
        "The data tell none of the indicators: there is no index to work out.",
    ),
    "incidents.peace_recipe": ("配方：", "Recipe:"),
    # --- trust
    "incidents.trust_text": (
        "用前四分之三的月份画图，看后四分之一的事件有多少落在图上最热的地面。这不是预测。",
        "A map of the first three quarters of the months, tried on the events of the last quarter. "
        "Nothing is forecast.",
    ),
    "incidents.trust_none": (
        "至少要有六个月才能检验。", "It takes six months to try a map on.",
    ),
    "incidents.trust_words": (
        "命中率：后期事件落在这部分地面的份额。PAI：命中率 ÷ 面积份额，1 为随便挑。PEI：与最好可能"
        "之比。RRI：图上应有 ÷ 实际。简单计数往往不差。",
        "Hit rate: share of the later events on this share of the ground. PAI: hit rate / share of "
        "ground, 1 is choosing by lot. PEI: against the best possible. RRI: foreseen / came. "
        "Simple counting is often as good.",
    ),
    "incidents.surface_density": ("密度图", "Density"),
    "incidents.surface_count": ("简单计数", "Simple counting"),
    "incidents.trust_surface": ("方法", "Map"),
    "incidents.trust_share": ("地面份额", "Share of ground"),
    "incidents.trust_hit": ("命中率", "Hit rate"),
    "incidents.trust_pai": ("面积精度指数 PAI", "PAI"),
    "incidents.trust_pei": ("精度效率指数 PEI", "PEI"),
    "incidents.trust_rri": ("命中数比 RRI", "RRI"),
    "incidents.trust_events": ("后期事件", "Later events"),
    # --- files
    "incidents.file_analyst": ("分析结果（GeoPackage）", "Analysis (GeoPackage)"),
    "incidents.file_analyst_text": (
        "格子、密度、各级区域、来源与参数；含小区域的准确件数，只供分析人员。",
        "Cells, density, areas of every level, provenance; exact counts of small areas, for "
        "analysts only.",
    ),
    "incidents.file_analyst_name": ("事件分析", "hotspots"),
    "incidents.file_leaders": ("共享结果（GeoPackage）", "Shared results (GeoPackage)"),
    "incidents.file_leaders_text": (
        "小数已保护，没有点；时段须为整月、整年或全部，来源为群众报告。",
        "Small counts protected, no points; for a whole month, a year or all of the time, reported "
        "by people.",
    ),
    "incidents.file_leaders_name": ("事件共享", "events-shared"),
    "incidents.file_classes": ("类别对照表（CSV）", "Table of classes (CSV)"),
    "incidents.file_classes_text": (
        "可用表格软件编辑，命令行 --categories 可读。",
        "For a spreadsheet; the command line reads it with --categories.",
    ),
    "incidents.file_classes_name": ("类别对照表", "classes"),
}
