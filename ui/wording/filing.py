"""Texts of the download page for what is filed: Chinese, English."""

FILING: dict[str, tuple[str, str]] = {
    "download.system": ("坐标系", "Coordinate system"),
    "download.system_usual": ("各格式常用的坐标系", "What is usual for each form"),
    "download.gcj02_note": (
        "GCJ-02 坐标有约 500 米偏移，仅供高德、腾讯等网络地图显示，不能与其他数据混用。",
        "GCJ-02 is shifted by some 500 m. It is for AMap, Tencent and the like; never mix it with "
        "other data.",
    ),
    "download.level": ("层级", "Level"),
    "download.level_grids": ("网格", "Grids"),
    "download.level_villages": ("村（社区）", "Villages"),
    "download.level_micro_grids": ("微网格", "Micro-grids"),
    "download.in_system": ("坐标系：{system}", "Coordinates: {system}"),
    "download.filing": ("登记表和报批材料的填报信息", "Who files it, when, which version"),
    "download.place": ("县（区）名称", "County"),
    "download.unit": ("填报单位", "Filed by"),
    "download.date": ("填报日期", "Date"),
    "download.version": ("版本", "Version"),
    "download.paper": ("纸张", "Paper"),
    "download.coordinates": (
        "四至无名称处注明经纬度", "Say longitude and latitude where a side has no named line",
    ),
    "download.maps": ("空间数据", "Data"),
    "download.documents": ("登记与报批", "Register and approval"),
    "download.approval": ("报批材料（Word）", "Paper for approval (Word)"),
    "download.approval_text": (
        "划分方法、主要数据、例外及原因、签字栏，可用 WPS 或 Word 修改。",
        "Method, figures, exceptions with their reasons, signatures; for WPS or Word.",
    ),
    "download.kml": ("KML（奥维、谷歌地球等）", "KML"),
    "download.kml_text": (
        "所选层级，含全部属性，可在手机地图软件中打开。",
        "The level chosen, with every column; for globes and field apps.",
    ),
    "download.geoparquet": ("GeoParquet（分析用）", "GeoParquet"),
    "download.geoparquet_text": (
        "所选层级，供数据分析程序使用。", "The level chosen, for analysis.",
    ),
    "download.csv": ("CSV 表格", "CSV table"),
    "download.csv_text": (
        "所选层级的属性和一个内部点的坐标，UTF-8 编码，可用 Excel 打开。",
        "The columns of the level chosen and a point inside each; UTF-8, opens in Excel.",
    ),
    "download.approval_name": ("网格划分报批材料", "grid-division-approval"),
    "download.attach": (
        "登记表附加内容：岗位、服务设施、事件", "More for the register: posts, services, incidents",
    ),
    "download.changes_found": (
        "{count} 个网格的图纸需要重新打印。", "The sheets of {count} grids are to be printed anew.",
    ),
    "download.attach_text": (
        "项目文件夹中的服务设施、派出所、小区、道路、岗位表、领导联网格表会自动使用：{found}。"
        "也可在此上传岗位表（网格编码、岗位类型、岗位编码、人数，姓名等个人信息不读取）、"
        "领导联网格表（岗位、网格编码）、服务设施、派出所、小区、道路、事件；"
        "文件名中写明用途。有道路时距离沿道路计算。",
        "Services, stations, compounds, roads, rosters and leaders' lists in the project's folder "
        "are used by themselves: {found}. Others can be uploaded here: a roster (grid code, kind "
        "of post, post code, number; names are not read), leaders' grids (post, grid code), "
        "services, stations, compounds, roads, incidents; let each file's name say which. With "
        "roads, distances run along them.",
    ),
    "download.pattern": ("每格应配岗位", "Posts a grid should have"),
    "download.scheme": ("网格编码模板", "Template of grid codes"),
    "download.scheme_help": (
        "默认 {example}：村代码加三位序号（901 起为专属网格）。可用字段：{fields}。",
        "By default {example}: the village's code and three digits, dedicated grids from 901. "
        "Fields: {fields}.",
    ),
    "download.scheme_micro": ("微网格编码模板", "Template of micro-grid codes"),
    "download.changes": ("与上一版比较：变更表", "Changes since an earlier version"),
    "download.changes_text": (
        "选择上一版方案（GeoPackage），得到每个网格的去向：未变、拆分、合并、新设、撤销，附编码对照。",
        "Choose the earlier plan (GeoPackage): what became of every grid (kept, split, merged, "
        "new, gone), with the codes.",
    ),
    "download.changes_name": ("网格变更表", "grid-changes"),
}
