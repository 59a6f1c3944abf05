"""What is said of doubts about events: Chinese, English; see :mod:`incidents.quality`."""

from __future__ import annotations

from geo.messages import register

register(
    {
        "quality-placed": (
            "{total:,} 条事件中只有 {share:.1%} 有可用位置,低于 85%:地图不可靠,请先补坐标。",
            "only {share:.1%} of {total:,} events have a usable place, under 85 %: no map of them "
            "can be relied on; add coordinates first.",
        ),
        "quality-unplaced": (
            "{count:,} 条事件没有可用位置;它们计入每个合计,但不在地图上。",
            "{count:,} events have no usable place; they stand in every total, not on the map.",
        ),
        "quality-outside": (
            "{count:,} 条事件在区域之外;计入合计,不在地图上。",
            "{count:,} events lie outside the area; they stand in the totals, not on the map.",
        ),
        "quality-pile": (
            "{count:,} "
        "条事件({share:.1%})在同一坐标({x:.0f},{y:.0f}),很可能是默认位置;请确认或不计入。",
            "{count:,} events ({share:.1%}) lie at one coordinate ({x:.0f}, {y:.0f}), most likely "
            "a default place; confirm it, or leave them off the map.",
        ),
        "quality-pile-station": (
            "{count:,} "
        "条事件({share:.1%})正好在派出所或服务点“{name}”;很可能是代填位置,请确认或不计入。",
            "{count:,} events ({share:.1%}) lie exactly at the station {name!r}, most likely "
            "entered there for want of a place; confirm it, or leave them off the map.",
        ),
        "quality-pile-centre": (
            "{count:,} 条事件({share:.1%})正好在“{name}”的中心点;很可能只知道村名,请确认或不计入。",
            "{count:,} events ({share:.1%}) lie exactly in the middle of {name!r}: most likely "
            "only the village was known; confirm it, or leave them off the map.",
        ),
        "quality-snapped": (
            "{share:.0%} 的事件与别的事件坐标相同({places:,} 个点代表 {total:,} "
        "条):位置已被归并到公用点。"
            "热点只能看到点所在的街区,不能当作精确位置;点与点之间的“冷”没有意义。",
            "{share:.0%} of the events share their coordinate with others ({places:,} points stand "
            "for {total:,} events): the places were snapped. A hot spot then shows where points "
            "stand, good to a neighbourhood at best; gaps between them mean nothing.",
        ),
        "quality-snapped-brief": (
            "位置已归并到公用点({share} 的事件与别的事件同一坐标):"
            "热点只准到街区,不是准确地点。",
            "Places were snapped to shared points ({share} of the events share theirs): a hot "
            "spot is good to a neighbourhood, it is no exact place.",
        ),
        "quality-placed-brief": (
            "只有约 {share} 的事件有可用位置,低于 85%:这张图不可靠。",
            "Only about {share} of the events have a usable place, under 85 %: do not rely on this "
            "map.",
        ),
        "quality-busy-point": (
            "{count:,} 条事件({share:.1%})在同一坐标({x:.0f},{y:.0f});"
            "位置已归并,更像繁忙的公用点而不是默认位置,仍在地图上。",
            "{count:,} events ({share:.1%}) lie at one coordinate ({x:.0f}, {y:.0f}); places are "
            "snapped, so this is more likely a busy shared point than a default one, and stays on "
            "the map.",
        ),
        "quality-months": (
            "{count:,} 条事件只有月份;按星期和钟点的分析不可用。",
            "{count:,} events tell only the month: nothing can be said by weekday or hour.",
        ),
        "quality-months-brief": (
            "{share} 的事件只有月份;按星期和钟点的分析不可用。",
            "{share} of the events tell only the month: nothing can be said by weekday or hour.",
        ),
        "quality-pile-brief": (
            "{share} 的事件在同一坐标,很可能是默认位置。",
            "{share} of the events lie at one coordinate, most likely a default place.",
        ),
        "quality-busy-point-brief": (
            "{share} 的事件在同一个公用点。",
            "{share} of the events lie at one shared point.",
        ),
        "quality-midnight-brief": (
            "{share} 的事件正好在 00:00:很可能是没有填写钟点。",
            "{share} of the events happened at exactly 00:00: most likely no hour was entered.",
        ),
        "quality-first-day-brief": (
            "{share} 的事件在每月 1 日:很可能只知道月份。",
            "{share} of the events lie on the first of a month: most likely only the month was "
            "known.",
        ),
        "quality-days": (
            "{count:,} 条事件只有日期没有钟点;按钟点的分析不含它们。",
            "{count:,} events tell the day, not the hour; analyses by hour leave them out.",
        ),
        "quality-midnight": (
            "{count:,} 条事件({share:.1%})正好在 00:00:很可能是没有填写钟点。",
            "{count:,} events ({share:.1%}) happened at exactly 00:00: most likely the hour was "
            "not entered.",
        ),
        "quality-first-day": (
            "{count:,} 条事件({share:.1%})在每月 1 日,是平常日子的 {times:.1f} 倍:"
            "很可能只知道月份。",
            "{count:,} events ({share:.1%}) lie on the first of a month, {times:.1f} times another "
            "day: most likely only the month was known.",
        ),
        "quality-uneven": (
            "{month} 有 {count:,} 条事件,其他月份一般 {usual:,.0f} 条:"
            "各月的数据来源可能不同,不能互相比较。",
            "{month} holds {count:,} events, another month usually {usual:,.0f}: the months were "
            "probably not told of by the same sources and cannot be compared.",
        ),
        "quality-uneven-brief": (
            "{month} 的事件远多于其他月份:各月的数据来源可能不同,不能互相比较。",
            "{month} holds far more events than the other months: they were probably not told of "
            "by the same sources and cannot be compared.",
        ),
        "quality-no-time": (
            "{count:,} 条事件没有时间;不进入任何按时间的表。",
            "{count:,} events tell no time; they stand in no table by time.",
        ),
        "quality-repeats": (
            "{count:,} 行与前面的行重复,每个事件只计一次。",
            "{count:,} rows repeated an earlier one; each event counts once.",
        ),
        "quality-same": (
            "{count:,} 条事件与另一条的时间、地点、类别都相同:可能重复登记,请核对。",
            "{count:,} events have the same minute, place and kind as another one: perhaps entered "
            "twice; check them.",
        ),
        "quality-unmapped": (
            "{count:,} 条事件({kinds:,} 种说法)不属于任何一类,例如“{name}”;请补充类别对照表。",
            "{count:,} events ({kinds:,} kinds of words) belong to no class, such as {name!r}; add "
            "them to the table of categories.",
        ),
        "quality-source": (
            "{count:,} 条事件没有来源;按群众报告计。",
            "{count:,} events do not tell their source; they count as reported by people.",
        ),
    }
)  # fmt: skip
