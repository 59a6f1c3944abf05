"""Texts of plans that are larger than a county: the overview, and planning on a cluster."""

OVERVIEW: dict[str, tuple[str, str]] = {
    "overview.grids": ("网格数", "Grids"),
    "overview.mean": ("平均偏差(对目标)", "Mean deviation from the target"),
    "overview.near": ("与村均值相差 10 % 以内", "Within 10 % of the village's ideal"),
    "settings.cluster": ("在集群 {address} 上计算", "Planned on the cluster at {address}"),
    "layer.picture": ("户数分布", "Where households are"),
}
