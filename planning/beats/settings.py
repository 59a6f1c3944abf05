"""What a planner may set for beats, and the sentences about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from geo.messages import register

Kind = Literal["least-change", "balanced", "compact"]
Cross = Literal["any", "township", "village"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CROSSINGS: tuple[Cross, ...] = get_args(Cross)

KIND_NAMES: dict[str, tuple[str, str]] = {
    # kind: (Chinese, English)
    "least-change": ("最少调整", "least change"),
    "balanced": ("均衡", "balanced"),
    "compact": ("紧凑", "compact"),
}

register(
    {
        "beats-setting": ("警格参数有误:{what}。", "{what}."),
        "beats-rule-grid": (
            "规则中的网格编码“{code}”不在方案中;请改正。",
            "a rule names grid {code!r}, which is not in the plan; correct it.",
        ),
        "beats-rule-beat": (
            "要锁定的警格“{code}”不在现有警格中;请改正。",
            "beat {code!r} is to be locked but is not among today's beats; correct it.",
        ),
        "beats-rule-apart": (
            "网格 {a} 与 {b} 既要求同格又要求分格;请删去其中一条。",
            "grids {a} and {b} are to be in one beat and in two; remove one of the two rules.",
        ),
        "beats-number": (
            "要求 {asked} 个警格,但按派出所、村界和屏障分开的 {least} 片地各需至少一个;"
            "已按 {least} 个划分。",
            "{asked} beats are asked for, but stations, village borders and barriers part the "
            "ground into {least} pieces that need one each; {least} were made.",
        ),
        "beats-number-most": (
            "要求 {asked} 个警格,但可分的网格只够 {most} 个;已按 {most} 个划分。",
            "{asked} beats are asked for, but the grids that may be divided make at most {most}; "
            "{most} were made.",
        ),
        "beats-number-caps": (
            "要求 {asked} 个警格,但按人口上限至少需要 {least} 个,还差 {short} 个;"
            "超限的警格列在例外中。",
            "{asked} beats are asked for, but the caps on residents need at least {least}, "
            "{short} more; beats over their cap are listed as exceptions.",
        ),
        "beats-cap-grid": (
            "{count} 个网格的人口已超过警格上限(最大的 {code} 有 {persons} 人,上限 {limit});"
            "它们所在的警格必然超限,请先划小这些网格。",
            "{count} grids alone hold more residents than a beat may (the largest, {code}, "
            "{persons} against {limit}); their beats cannot keep the cap: divide these grids "
            "first.",
        ),
        "beats-work-grid": (
            "{count} 个网格的工作量已超过警格工作量上限(最大的 {code} 超出 {over:.0%});"
            "所在警格不可能落入幅度内。",
            "{count} grids alone hold more work than a beat may (the largest, {code}, "
            "{over:.0%} more); their beats cannot be inside the band.",
        ),
        "beats-together-apart": (
            "要求同格的网格 {codes} 之间没有可用的公共边界;请加一条手工连接,或删去该规则。",
            "grids {codes} are to be in one beat, but no border that may be crossed joins them; "
            "add a link or remove the rule.",
        ),
        "beats-persons-unknown": (
            "网格没有人口数,无法核对警格人口上限;请在方案中提供人口。",
            "the grids carry no number of residents, so the caps cannot be checked; give the "
            "plan persons.",
        ),
    }
)


@dataclass(frozen=True)
class BeatSettings:
    """The rules for beats.

    ``band`` how far a beat's work may lie from its area's mean, as a share of it.
    ``max_persons_urban``, ``max_persons_rural`` caps on residents (None for no cap); a beat counts
    as urban when at least half of its residents live in urban villages. ``beats`` their number,
    None to let it follow from today's beats, the caps and the officers. ``cross`` which borders a
    beat may cross: "any" border, those between villages of one "township", or no "village"
    border. ``links`` pairs of grid codes to be taken for neighbours (a bridge), ``cuts`` pairs not
    to be (a wall, a river without a bridge); ``together``
    groups of grid codes to be in one beat; ``apart`` pairs never to be; ``locked`` codes of
    today's beats that neither lose nor gain.

    Raises ValueError naming everything that cannot be.
    """

    kind: Kind = "least-change"
    band: float = 0.10
    max_persons_urban: int | None = 10_000
    max_persons_rural: int | None = 5_000
    beats: int | None = None
    cross: Cross = "township"
    links: tuple[tuple[str, str], ...] = ()
    cuts: tuple[tuple[str, str], ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    locked: frozenset[str] = frozenset()
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = []
        if self.kind not in KINDS:
            wrong.append(f"objective is one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.cross not in CROSSINGS:
            wrong.append(f"cross is one of {', '.join(CROSSINGS)}, not {self.cross!r}")
        if not 0 < self.band < 1:
            wrong.append(f"the workload band has to be between 0 and 1, not {self.band:g}")
        for name in ("max_persons_urban", "max_persons_rural", "beats"):
            value = getattr(self, name)
            if value is not None and value < 1:
                wrong.append(f"{name} has to be at least 1, not {value}")
        if wrong:
            raise ValueError("; ".join(wrong))

    def record(self) -> Mapping[str, str]:
        """The settings as provenance: key to text."""
        rows = {}
        for name, value in asdict(self).items():
            if isinstance(value, frozenset):
                value = ", ".join(sorted(value))
            elif isinstance(value, tuple):
                value = "; ".join("+".join(group) for group in value)
            rows[f"setting.{name}"] = "" if value is None else str(value)
        return rows
