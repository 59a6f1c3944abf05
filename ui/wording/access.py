"""Texts of signing in, roles and accounts."""

ACCESS: dict[str, tuple[str, str]] = {
    "page.people": ("人员与记录", "People and trail"),
    "error.signed_out": (
        "您没有登录，或登录已结束。请重新登录；已保存的每一步都在。",
        "You are not signed in, or no longer. Sign in again; every step that was saved is there.",
    ),
    "error.denied": (
        "您的角色不允许这样做；需要时请与管理员联系。",
        "Your role does not allow this; ask the administrator if you need it.",
    ),
    "access.single": (
        "单人模式：没有登录，只能在本机打开。",
        "One person, no sign-in: opens on this machine alone.",
    ),
    "access.who": ("{name} · {roles}", "{name} · {roles}"),
    "access.sign_out": ("退出", "Sign out"),
    "access.sign_in": ("登录", "Sign in"),
    "access.password": ("修改密码", "Change password"),
    "access.no_plan": (
        "您的角色限于乡镇，本县还没有打开的网格方案，因此无法只显示您的部分。",
        "Your role holds for a township, and no plan of the county is open of which your part "
        "could be shown.",
    ),
    # --- the sign-in pages, which are no pages of the application
    "signin.title": ("登录 · 格匠", "Sign in · Gridwright"),
    "signin.name": ("账号", "Account"),
    "signin.password": ("密码", "Password"),
    "signin.enter": ("登录", "Sign in"),
    "signin.office": ("用单位账号登录", "Sign in with your office account"),
    "signin.refused": ("账号或密码不对。", "Account or password are not right."),
    "signin.locked": (
        "密码错误次数过多，账号已锁定 {minutes} 分钟。",
        "Too many wrong passwords: the account is locked for {minutes} minutes.",
    ),
    "signin.unknown": (
        "单位账号有效，但这里还没有您的账号；请与管理员联系。",
        "Your office account is right, but it has no place here yet; ask the administrator.",
    ),
    "signin.busy": (
        "暂时无法登录，请稍后再试。", "Nobody can sign in at the moment; try again shortly.",
    ),
    "signin.change": ("设置新密码", "Choose a new password"),
    "signin.must_change": (
        "首次登录，请先设置自己的密码（至少 {least} 个字符）。",
        "First sign-in: choose a password of your own (at least {least} characters).",
    ),
    "signin.old": ("当前密码", "Present password"),
    "signin.new": ("新密码", "New password"),
    "signin.again": ("再输一次", "Once more"),
    "signin.differ": ("两次输入的新密码不一样。", "The two new passwords are not the same."),
    "signin.wrong_old": ("当前密码不对。", "The present password is not right."),
    "signin.notice": (
        "内部系统，操作均有记录。", "For internal use; what is done here is recorded.",
    ),
    # --- the administrator's page
    "people.title": ("账号与角色", "Accounts and roles"),
    "people.lead": (
        "角色即时生效。停用账号会立即结束其所有登录。最后一位全县管理员不能停用。",
        "Roles count at once. To disable an account ends all its sign-ins. The county's last "
        "administrator stays.",
    ),
    "people.none": (
        "单人模式没有账号。要让多人使用，请用 gridwright user add 建立管理员账号，再用 "
        "gridwright serve --sign-in local 启动。",
        "One person needs no accounts. For many, add an administrator with gridwright user add, "
        "then start with gridwright serve --sign-in local.",
    ),
    "people.account": ("账号", "Account"),
    "people.roles": ("角色", "Roles"),
    "people.role": ("角色", "Role"),
    "people.scope": ("范围", "Where"),
    "people.county": ("全县", "the county"),
    "people.state": ("状态", "State"),
    "people.seen": ("最近使用", "Last seen"),
    "people.signed_in": ("登录数", "Signed in"),
    "people.office": ("单位账号", "office account"),
    "people.must_change": ("待改密码", "password to be changed"),
    "people.disabled": ("已停用", "disabled"),
    "people.locked": ("已锁定", "locked"),
    "people.add": ("新建账号", "Add an account"),
    "people.new_name": ("账号名", "Name of the account"),
    "people.new_kind": ("单位账号登录", "Signs in through the office"),
    "people.added": (
        "已建立。初始密码：{password}（只显示这一次，首次登录须修改）",
        "Added. First password: {password} (shown this once; it must be changed at first use)",
    ),
    "people.added_office": ("已建立。", "Added."),
    "people.reset": ("重设密码", "New password"),
    "people.disable": ("停用", "Disable"),
    "people.enable": ("启用、解锁", "Enable, unlock"),
    "people.end": ("结束其登录", "End its sign-ins"),
    "people.grant": ("授予", "Give"),
    "people.revoke": ("收回", "Take"),
    "people.trail": ("操作记录", "Who did what"),
    "people.trail_lead": (
        "只增不改，逐条相连；导出后可自行核对。末尾：{head}",
        "Only grows, each entry bound to the one before; export it to check. It ends with {head}",
    ),
    "people.at": ("时间", "When"),
    "people.actor": ("谁", "Who"),
    "people.action": ("做了什么", "What"),
    "people.object": ("对象", "To what"),
    "people.take_trail": ("导出记录", "Export the trail"),
    "people.trail_name": ("操作记录", "audit-trail"),
}
