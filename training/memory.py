"""Memory for training on a CPU: tensors on huge pages, kept from step to step. Needs no torch.

glibc gives every large block back to the system, which clears it page by page before it comes again: on Linux that took
a quarter of a training step. glibc reads these settings only when a process starts.
"""

from __future__ import annotations

import os
import sys

TUNABLES = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in (("hugetlb", 1), ("mmap_threshold", 4 << 30), ("trim_threshold", 8 << 30))
)


def restart_with_huge_pages() -> None:
    """On Linux, start this program again, in this process, with ``TUNABLES``; where GLIBC_TUNABLES is set, it stays."""
    if sys.platform == "linux" and "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = TUNABLES
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
