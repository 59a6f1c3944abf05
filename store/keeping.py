"""What is done with a store as a whole: backup, restore, verify, projects carried about."""

from __future__ import annotations

from pathlib import Path

from geo.problems import InputError, Problem
from store import audit, creation, files
from store.base import Base
from store.copying import is_empty
from store.verification import verify_store


class Keeping(Base):
    """The part of :class:`store.projects.Store` that works with files."""

    def backup(self, path: str | Path, *, actor: str = "") -> None:
        """Write a copy of the whole store, in use or not; whole or not at all.

        One state of it, as a file of the store's format also where the store is on a server.
        Nobody's sign-in is in it: after a restore everybody signs in again.
        """
        target = Path(path)
        files.refuse_itself(self.address.path, target)
        self._write_backup(target)
        with self.writing() as c:
            detail = {"sha256": files.digest(target)}
            audit.append(c, "store.backup", "store", detail, actor=actor)

    def _write_backup(self, target: Path) -> None:
        if self.address.path is not None:
            files.backup_file(self.address.path, target)
        else:
            with self.reading() as c:
                files.backup_rows(c, target)

    def restore_backup(
        self, path: str | Path, *, replacing: bool = False, actor: str = ""
    ) -> Path | None:
        """Put a backup's content here, all of it or nothing; whoever works here meets it at once.

        A store that holds anything is replaced only when asked to, and saved before, beside the
        backup; the path of that copy is returned. Raises :class:`InputError` for a backup that is
        missing, foreign, damaged or inconsistent.
        """
        source, saved = Path(path), None
        with self.writing() as c, audit.acting(actor):
            if replacing and not is_empty(c):
                # nobody can write meanwhile, so nothing falls between the copy and what replaces it
                saved = _free_name(source)
                self._write_backup(saved)
            files.restore(c, source, self.name, replacing=replacing)
        return saved

    def export_project(self, project: int, path: str | Path, *, actor: str = "") -> None:
        """Write a project with all its scenarios and steps as one file; whole or not at all."""
        target = Path(path)
        files.refuse_itself(self.address.path, target)
        with self.reading() as c:
            creation.project_row(c, project, self.name)
            files.export_project(c, project, target)
        with self.writing() as c:
            detail = {"sha256": files.digest(target)}
            audit.append(c, "project.export", f"project/{project}", detail, actor=actor)

    def import_project(self, path: str | Path, *, actor: str = "") -> int:
        """Take over the project of a file that :meth:`export_project` wrote; returns its number.

        Raises :class:`InputError` for a file that is foreign, damaged, from a newer version, or
        whose plans and steps disagree; nothing is taken over then.
        """
        source = Path(path)
        with self.writing() as c:
            made = files.import_projects(c, source)
            if len(made) != 1:
                raise InputError([Problem("store-foreign", source.name)])
            detail = {"sha256": files.digest(source)}
            audit.append(c, "project.import", f"project/{made[0]}", detail, actor=actor)
            return made[0]

    def verify(self, head: str = "") -> list[Problem]:
        """What is wrong with the store; empty where every step is there and replays.

        ``head`` is what :meth:`trail_head` gave at some time: it must be in the trail still.
        """
        with self.reading() as c:
            return verify_store(c, self.name, head)


def _free_name(backup: Path) -> Path:
    """A name beside a backup that nothing has yet."""
    number = 1
    while (path := backup.with_name(f"{backup.name}.before-{number}")).exists():
        number += 1
    return path
