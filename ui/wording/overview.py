"""Texts of the overview of a plan that is larger than a county."""

OVERVIEW: dict[str, tuple[str, str]] = {
    "overview.grids": ("网格数", "Grids"),
    "overview.mean": ("平均偏差(对目标)", "Mean deviation from the target"),
    "overview.near": ("与村均值相差 10 % 以内", "Within 10 % of the village's ideal"),
    "layer.picture": ("户数分布", "Where households are"),
}
