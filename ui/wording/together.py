"""Texts of working together, and of a store that cannot be written: Chinese, English."""

TOGETHER: dict[str, tuple[str, str]] = {
    "redraw.told_conflict": (
        "方案已在别处改动，本次操作未执行；现在显示的是最新方案。",
        "The plan was changed elsewhere; this was not done. You now see the plan as it is.",
    ),
    "redraw.told_rebased": (
        "{step}：已在最新方案上完成（{units} 个单元、{households} 户换格）；"
        "他人的改动在别的网格，一并保留。",
        "{step}: done on the plan as it is now ({units} units, {households} households); what "
        "others did is in other grids and stays.",
    ),
    "redraw.told_taken": (
        "{who} 自 {since} 起正在编辑本村，本次操作未执行。",
        "{who} has taken this village for editing since {since}; this was not done.",
    ),
    "redraw.meanwhile": ("{who}：{what}（共 {count} 步）。", "{who}: {what} ({count} steps)."),
    "redraw.somebody": ("另一位用户", "somebody"),
    "redraw.again_mine": ("仍在最新方案上执行", "Do it on the plan as it is"),
    "redraw.leave_mine": ("放弃本次操作", "Leave it"),
    "redraw.told_problem": ("未执行：{problems}", "Not done: {problems}"),
    "redraw.told_pending": (
        "{step}：已执行，但尚未保存，只在内存中。", "{step}: done, but not saved yet.",
    ),
    "redraw.told_waits": (
        "尚未保存的步骤只能撤销；其余操作待数据库恢复后再做。",
        "Steps that are not saved can be undone; anything else waits until they are.",
    ),
    "redraw.told_saved": ("全部步骤已保存。", "All steps are saved."),
    "redraw.told_still": ("仍无法保存；步骤还在内存中。", "Still not saved; the steps are kept."),
    "redraw.told_aside": (
        "他人已改动本村，您有 {count} 步未能保存；请下载文件，核对后再导入。",
        "Others changed this village and {count} steps of yours could not be saved; download the "
        "file, look at the plan, and bring it back.",
    ),
    "redraw.told_forgotten": ("已清除未保存的步骤。", "The unsaved steps were discarded."),
    "redraw.told_brought": (
        "已导入并保存 {count} 步。", "{count} steps brought back and saved.",
    ),
    "redraw.told_brought_part": (
        "文件中 {all} 步只导入了前 {count} 步；其后的步骤不适用于现在的方案。",
        "Of {all} steps in the file the first {count} were brought back; the next one does not fit "
        "the plan as it is.",
    ),
    "redraw.told_no_unsaved": (
        "这不是未保存步骤的文件；请选择从“调整网格”下载的文件。",
        "This is no file of unsaved steps; choose one that was downloaded from Redraw.",
    ),
    "redraw.told_other_village": (
        "文件属于编码为 {code} 的村；请先打开该村。",
        "The file belongs to the village with the code {code}; open that village first.",
    ),
    "redraw.unsaved": (
        "有 {count} 步尚未保存，只在内存中；数据库恢复后自动保存。",
        "{count} steps are not saved and only in memory; they are saved when the store is back.",
    ),
    "redraw.unsaved_aside": (
        "有 {count} 步因他人改动未能保存。",
        "{count} steps could not be saved: others were faster.",
    ),
    "redraw.unsaved_download": ("下载未保存的步骤", "Download the unsaved steps"),
    "redraw.unsaved_retry": ("重试保存", "Try again"),
    "redraw.unsaved_forget": ("清除", "Discard"),
    "redraw.bring_back": ("导入未保存的步骤…", "Bring back unsaved steps…"),
    "here.open": ("{who} 自 {since} 打开本村", "Open by {who} since {since}"),
    "here.taken": ("{who} 自 {since} 起正在编辑本村", "Taken for editing by {who} since {since}"),
    "here.mine": (
        "您已锁定本村：他人不能改动。",
        "You have taken this village: nobody else can change it.",
    ),
    "here.take": ("锁定编辑", "Take for editing"),
    "here.release": ("解除锁定", "Release"),
    "here.elsewhere": ("他人正打开：{list}", "Open elsewhere: {list}"),
    "here.one": ("{village}（{who}）", "{village} ({who})"),
    "here.unknown": (
        "暂时无法得知谁打开了本村。", "Who else has this village open cannot be told now.",
    ),
}
