"""``python -m benchmarks``: the 30,000 households without and with roads, then the gaps."""

from __future__ import annotations

import sys

from benchmarks import engines, gaps

if __name__ == "__main__":
    results = [engines.main([]), engines.main(["--roads"])]
    sys.exit(max(*results, gaps.main([])))
