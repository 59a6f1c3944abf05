"""Balanced power diagram of the households: the peer that is most compact by distance."""

from __future__ import annotations

import numpy as np

from benchmarks.instance import Floats, Ints


def power_diagram(
    points: Floats, households: Ints, k: int, *, seed: int = 0, moves: int = 60, steps: int = 25
) -> Ints:
    """(n,) grid of each unit: argmin over centres of squared distance minus the centre's weight.

    Lloyd's iteration on the household-weighted points, and between two moves of the centres
    the weights are stepped until the loads agree: a centre with too few households gains weight
    and so reaches farther (Aurenhammer, Hoffmann and Aronov 1998). After the last move the
    centres stand still, the weights take ten times as many steps, and the best labels win.

    When it is wrong: cells are convex and so cut nothing twice in the plane, but a unit follows
    its point, so on an irregular coverage a grid may still fall into two pieces; and a large
    building can jump only whole, which bounds the balance from below.
    """
    rng = np.random.default_rng(seed)
    load_of = households.astype(float)
    target = load_of.sum() / k
    centre = _spread_centres(points, load_of, k, rng)
    weight = np.zeros(k)
    for _ in range(moves):
        labels, weight = _balance(points, load_of, centre, weight, target, steps)
        load = np.maximum(np.bincount(labels, load_of, k), 1e-9)
        mean = [np.bincount(labels, load_of * axis, k) / load for axis in points.T]
        occupied = np.bincount(labels, minlength=k) > 0
        centre[occupied] = np.c_[mean[0], mean[1]][occupied]
    return _balance(points, load_of, centre, weight, target, 10 * steps)[0]


def _spread_centres(points: Floats, load: Floats, k: int, rng: np.random.Generator) -> Floats:
    """k-means++: each next centre is drawn by households times squared distance to the chosen."""
    chosen = [points[rng.choice(len(points), p=load / load.sum())]]
    nearest = np.full(len(points), np.inf)
    for _ in range(k - 1):
        nearest = np.minimum(nearest, np.sum((points - chosen[-1]) ** 2, axis=1))
        chance = load * nearest
        chosen.append(points[rng.choice(len(points), p=chance / chance.sum())])
    return np.array(chosen)


def _balance(
    points: Floats, load_of: Floats, centre: Floats, weight: Floats, target: float, steps: int
) -> tuple[Ints, Floats]:
    """Step the weights towards equal loads; return the best labels met and their weights."""
    k = len(centre)
    squared = np.sum((points[:, None, :] - centre[None, :, :]) ** 2, axis=2)
    best, best_worst = (np.argmin(squared - weight, axis=1), weight), np.inf
    stride, before = np.full(k, 1.5), np.zeros(k)
    for _ in range(steps):
        labels = np.argmin(squared - weight, axis=1)
        load = np.bincount(labels, load_of, k)
        off = (target - load) / target
        if (worst := float(np.abs(off).max())) < best_worst:
            best, best_worst = (labels, weight), worst
        # density differs from cell to cell, so each finds its own stride: longer while it keeps
        # its direction, half when it overshoots
        stride = np.clip(np.where(off * before >= 0, stride * 1.2, stride * 0.5), 0.02, 8.0)
        before = off
        # a weight is an area: a cell of mean squared reach r^2 covers about 6 r^2
        spread = np.bincount(labels, load_of * squared[np.arange(len(labels)), labels], k)
        size = spread / np.maximum(load, target / 10.0)
        floor = 0.1 * spread.sum() / load_of.sum()
        weight = weight + stride * np.clip(off, -1.0, 1.0) * np.maximum(size, floor)
        weight = weight - weight.mean()
    return best
