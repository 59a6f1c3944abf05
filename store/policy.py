"""Who may do what: one table of actions and roles, and nothing else decides.

Pages, downloads, the store and the web server ask :meth:`Person.may`; what the table does not name,
nobody may. A role holds in the whole county or in one township: a grant for a township lets its
holder act on that township's villages, and see those of all their grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

VIEWER, ANALYST, PLANNER = "viewer", "analyst", "planner"
POLICE, ADMINISTRATOR = "police", "administrator"
ROLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        VIEWER: ("查看（领导）", "viewer (leader)"),
        ANALYST: ("分析", "analyst"),
        PLANNER: ("规划", "planner"),
        POLICE: ("公安", "police"),
        ADMINISTRATOR: ("管理员", "administrator"),
    }
)
"""Role -> its name in Chinese and English."""

COUNTY = ""
"""The scope of a grant that holds everywhere."""

_ALL = frozenset(ROLES)
_TABLE: dict[str, frozenset[str]] = {
    # what is looked at
    "see.leader": _ALL,
    "see.plan": _ALL,
    "see.levels": _ALL,
    "see.households": frozenset({PLANNER}),  # points of dwellings, and outlines of single houses
    "see.project": frozenset({PLANNER, ANALYST, ADMINISTRATOR}),
    "see.board": frozenset({PLANNER}),
    "see.scenarios": frozenset({PLANNER}),
    "see.beats": frozenset({POLICE, PLANNER}),
    "see.incidents": frozenset({ANALYST}),  # single events and their points
    "see.download": frozenset({PLANNER}),
    "see.people": frozenset({ADMINISTRATOR}),
    # what is changed
    "do.import": frozenset({PLANNER, ANALYST, ADMINISTRATOR}),
    "do.propose": frozenset({PLANNER}),
    "do.keep": frozenset({PLANNER, POLICE}),  # a plan or beats put into the store, to be redrawn
    "do.edit": frozenset({PLANNER}),
    "do.branch": frozenset({PLANNER}),
    "do.adopt": frozenset({PLANNER}),
    "do.beats": frozenset({POLICE}),
    "do.saved": frozenset({PLANNER, ADMINISTRATOR}),
    "do.people": frozenset({ADMINISTRATOR}),
    "do.store": frozenset({ADMINISTRATOR}),
    # what leaves the server
    "take.leader": _ALL,
    "take.levels": _ALL,
    "take.plan": frozenset({PLANNER}),
    "take.record": frozenset({PLANNER}),
    "take.beats": frozenset({POLICE, PLANNER}),
    "take.incidents": frozenset({ANALYST}),
    "take.trail": frozenset({ADMINISTRATOR}),
}
POLICY: Mapping[str, frozenset[str]] = MappingProxyType(_TABLE)
"""Action -> the roles that may. The only place where this is said."""

IN_COUNTY = frozenset(
    {"see.scenarios", "see.people", "do.propose", "do.adopt", "do.saved", "do.people", "do.store",
     "take.record", "take.trail"}
)  # fmt: skip
"""Actions that touch every township at once: only a grant for the whole county allows them."""

STORE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("marked", "ground", "projects", "villages", "settings", "set_names", "open_plan",
             "version", "log", "changes_since", "record", "scenarios", "versions", "refiled",
             "planfile_of", "present", "here", "gone", "release"),
            "see.plan",
        ),
        "create_project": "do.keep",
        # who takes a village keeps others from editing it
        **dict.fromkeys(("save_step", "undo", "redo", "goto", "take"), "do.edit"),
        "branch": "do.branch",
        **dict.fromkeys(("adopt", "rename", "archive", "delete", "restore"), "do.adopt"),
        **dict.fromkeys(
            ("rename_project", "delete_project", "export_project", "import_project"), "do.saved"
        ),
        **dict.fromkeys(
            ("accounts", "add_account", "reset_password", "grant", "revoke", "disable", "enable",
             "sign_out_everywhere"),
            "do.people",
        ),
        **dict.fromkeys(("trail", "trail_head"), "take.trail"),
        **dict.fromkeys(("backup", "restore_backup", "verify", "expire_trail"), "do.store"),
    }
)  # fmt: skip
"""Method of :class:`store.projects.Store` -> the action it is. What is missing nobody may call."""

IN_VILLAGE = frozenset({"save_step", "undo", "redo", "goto", "take"})
"""Methods whose first two arguments are a scenario and a village; the grant must cover it."""


class DeniedError(PermissionError):
    """The role of whoever asks does not allow it."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


@dataclass(frozen=True)
class Grant:
    """A role in the county (``scope`` empty) or in a township: its name, or its nine digits."""

    role: str
    scope: str = COUNTY

    def covers(self, code: str, township: str) -> bool:
        """Does it hold for a village with this code in this township?"""
        return self.scope in (COUNTY, township) or (
            len(self.scope) >= 6 and self.scope.isdigit() and code.startswith(self.scope)
        )


@dataclass(frozen=True)
class Person:
    """Somebody who signed in, with their grants as the store has them now.

    ``id`` 0 is nobody's account: the only user of a server without sign-in, or the server itself.
    """

    id: int
    name: str
    grants: tuple[Grant, ...] = ()
    must_change: bool = False

    @property
    def roles(self) -> str:
        """The roles held, for the audit trail."""
        return " ".join(dict.fromkeys(grant.role for grant in self.grants))

    @property
    def townships(self) -> frozenset[str] | None:
        """The scopes this person is kept to; None for the whole county."""
        scopes = frozenset(grant.scope for grant in self.grants)
        return None if COUNTY in scopes else scopes

    def may(self, action: str, village: tuple[str, str] | None = None) -> bool:
        """Does any grant allow the action: at all, or on a village (its code, its township)?"""
        roles = POLICY.get(action, frozenset())
        held = [grant for grant in self.grants if grant.role in roles]
        if action in IN_COUNTY:
            held = [grant for grant in held if grant.scope == COUNTY]
        return any(village is None or grant.covers(*village) for grant in held)

    def may_everywhere(self, action: str) -> bool:
        """Does a grant for the whole county allow it? Asked where nothing is cut by townships."""
        roles = POLICY.get(action, frozenset())
        return any(grant.role in roles and grant.scope == COUNTY for grant in self.grants)

    def holding(self, action: str) -> Person:
        """The same person with the grants alone that allow the action: where they may do it."""
        roles = POLICY.get(action, frozenset())
        return replace(self, grants=tuple(grant for grant in self.grants if grant.role in roles))

    def sees(self, code: str, township: str) -> bool:
        """May this person see this village at all?"""
        return any(grant.covers(code, township) for grant in self.grants)

    def require(self, action: str, village: tuple[str, str] | None = None) -> None:
        """Raise :class:`DeniedError` unless :meth:`may`."""
        if not self.may(action, village):
            raise DeniedError(action)


EVERYBODY = Person(0, "", tuple(Grant(role) for role in ROLES))
"""The only user of a server without sign-in."""
