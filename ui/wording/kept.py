"""Texts of keeping: today's grids as a start, and the projects of the store."""

KEPT: dict[str, tuple[str, str]] = {
    "settings.micro": ("微网格目标户数（空为不划）", "Households a micro-grid (blank: none)"),
    "layer.micro": ("微网格", "Micro-grids"),
    "settings.from": ("起点", "Start"),
    "settings.from_help": (
        "“从头划分”不看现有网格；其余两项保留现有网格的编码和边界，只改违反规则的，移动的户数尽量少。",
        "Afresh looks at no grid of today. The others keep today's codes and borders and change "
        "only what breaks a rule, moving as few households as possible.",
    ),
    "settings.from_afresh": ("从头划分", "Afresh"),
    "settings.from_plan": ("保留当前方案，只改违规的", "This plan; mend what breaks a rule"),
    "settings.from_file": ("保留现有网格（文件）", "Today's grids, from a file"),
    "settings.from_upload": ("现有网格的面图层或方案文件", "Polygons of today's grids, or a plan"),
    "plan.kept_from": (
        "保留现有网格：移动 {moved} 户（至少须移动 {lower_bound} 户）；未变 {grids_unchanged} 格，"
        "改动 {grids_changed} 格，新增 {grids_new} 格，撤销 {grids_gone} 格，"
        "仍违规 {grids_not_mended} 格。",
        "Today's grids kept: {moved} households moved (at least {lower_bound} had to be); "
        "{grids_unchanged} grids as they were, {grids_changed} changed, {grids_new} new, "
        "{grids_gone} gone, {grids_not_mended} still break a rule.",
    ),
    "plan.not_kept": (
        "{count} 个网格未能完全保留", "{count} grids could not be kept entirely",
    ),
    "redraw.branch_mine": ("把我的操作另存为新方案", "Keep my step in a scenario of its own"),
    "redraw.mine": ("我的改动 {time}", "My change, {time}"),
    "redraw.actor": ("记录人（岗位或姓名）", "Recorded as (post or name)"),
    "redraw.actor_help": (
        "写入调整记录的“人员”一栏。", "Goes into the record of changes, under Who.",
    ),
    "redraw.village_back": ("上一个村", "The village before"),
    "redraw.village_on": ("下一个村", "The next village"),
    "project.kept": ("已保存的方案", "Saved plans"),
    "project.kept_text": (
        "每次打开“调整网格”时，方案存入本机的库中；这里可重新打开、复制、导出为一个文件、导入或删除。"
        "库中不含住户，重新打开的方案没有户点。",
        "A plan is saved when it is first opened for redrawing. Here it can be opened again, "
        "copied, exported as one file, imported or deleted. No household is saved: a plan opened "
        "from here shows no household points.",
    ),
    "project.kept_none": ("还没有保存的方案。", "No plan was saved yet."),
    "project.kept_name": ("名称", "Name"),
    "project.kept_villages": ("村", "Villages"),
    "project.kept_scenarios": ("方案", "Scenarios"),
    "project.kept_made": ("保存", "Saved"),
    "project.kept_open": ("打开", "Open"),
    "project.kept_copy": ("复制", "Copy"),
    "project.kept_delete": ("删除", "Delete"),
    "project.kept_export": ("导出", "Export"),
    "project.kept_rename": ("改名", "Rename"),
    "project.kept_sure": (
        "确定删除，无法恢复（可先导出）", "Yes, delete; there is no way back (export first)",
    ),
    "project.kept_import": ("导入方案文件（.gridwright）", "Import a project file (.gridwright)"),
    "project.kept_take": ("导入", "Import"),
    "project.kept_chosen": ("所选方案", "Chosen plan"),
    "project.kept_file": ("方案", "project"),
    "project.kept_copied": ("{name}（副本）", "{name} (copy)"),
}
