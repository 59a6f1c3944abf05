"""Texts of micro-grids on the planner's board: Chinese, English."""

MICRO: dict[str, tuple[str, str]] = {
    "microboard.grid": ("微网格", "Micro-grid"),
    "microboard.grids": ("微网格", "Micro-grids"),
    "microboard.new": ("新微网格", "New micro-grid"),
    "microboard.new_title": (
        "用选中的单元建新微网格", "Make a new micro-grid of the chosen units",
    ),
    "microboard.number": ("微网格数", "Number"),
    "microboard.number_title": (
        "按给定数目重新划分未锁定的微网格",
        "Divide the unlocked micro-grids afresh into this many",
    ),
    "microboard.propose_title": (
        "重新划分未锁定的微网格", "Divide the unlocked micro-grids afresh",
    ),
    "microboard.merge_title": ("合并选中的微网格", "Join the chosen micro-grids"),
    "microboard.tab_grids": ("微网格", "Micro-grids"),
    "microboard.by_grid": ("选整个微网格", "Whole micro-grids"),
    "microboard.by_grid_title": (
        "点击时选择整个微网格", "A click chooses the whole micro-grid",
    ),
    "microboard.legend": ("与微网格目标户数之差", "Households against a micro-grid's target"),
    "microboard.told_without": (
        "微网格只有编号，没有名称、类别和原因。",
        "A micro-grid has a number, and no name, kind or reason.",
    ),
    "microboard.told_no_scenario": (
        "微网格随网格方案保存；请在网格画板上另存方案。",
        "Micro-grids are kept with the scenario of the grids; branch that on the board of grids.",
    ),
    "microboard.what": ("调整", "Redraw"),
    "microboard.of_grids": ("网格", "Grids"),
    "microboard.of_micro": ("微网格：{grid} {name}", "Micro-grids of {grid} {name}"),
    "microboard.none": (
        "方案没有划分微网格；在“设置”中填写微网格目标户数后重新划分。",
        "The plan has no micro-grids. Set the households of a micro-grid in the settings and "
        "propose again.",
    ),
    "microboard.followed": (
        "网格 {grid} 调整后，微网格随之变化："
        "{changed} 个变动、{new} 个新增、{gone} 个撤销（{codes}）。",
        "Grid {grid} was redrawn and its micro-grids followed: {changed} changed, {new} new, "
        "{gone} gone ({codes}).",
    ),
    "microboard.lead": (
        "每个微网格都在一个网格内，30–100 户；操作与网格相同。",
        "Every micro-grid lies in one grid and has 30 to 100 households; the tools are the same.",
    ),
}
