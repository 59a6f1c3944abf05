"""Texts of taking a large plan into the store, before its board opens."""

TAKING: dict[str, tuple[str, str]] = {
    "taking.title": ("准备手工调整", "Making ready to redraw by hand"),
    "taking.lead": (
        "方案有 {villages} 个村（社区）。首次手工调整前，各村的地块要存入本机的数据库一次，"
        "大城市需几分钟；以后打开任何一个村只需片刻。",
        "The plan has {villages} villages. Before the first redrawing, the ground of each is put "
        "into this server's store, once; a large city takes some minutes. Afterwards any village "
        "opens in a moment.",
    ),
    "taking.begin": ("开始准备", "Begin"),
    "taking.meanwhile": (
        "可以离开本页，其他页面照常可用；中途停止后，已存入的村不会重做。",
        "You may leave this page and use the others. If it is stopped, villages that are in the "
        "store are not done again.",
    ),
    "taking.cancelled": (
        "已停止；再次开始时从停下的地方继续。", "Stopped; it goes on from there when begun again.",
    ),
    "taking.not_yours": (
        "请由规划人员开始准备。", "A planner has to begin it.",
    ),
    "job.taking": ("正在存入 {label}（{done}/{total}）", "Taking in {label} ({done}/{total})"),
    "error.taking_died": (
        "存入方案的进程中途退出（多为内存不足）；已存入的村都在，再次开始即可继续。",
        "The process that took the plan in ended (out of memory?). The villages it had done are "
        "kept; begin again to go on.",
    ),
}
