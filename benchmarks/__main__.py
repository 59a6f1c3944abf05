"""``python -m benchmarks``: the villages of 30,000, the gaps, then the whole county."""

from __future__ import annotations

import sys

from benchmarks import county, engines, gaps

if __name__ == "__main__":
    results = [engines.main([]), engines.main(["--roads"])]
    sys.exit(max(*results, gaps.main([]), county.main([])))
