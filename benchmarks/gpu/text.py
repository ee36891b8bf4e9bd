"""The runs' text as token files, for a machine without the packages that it comes from.

`python -m benchmarks.gpu.text` packs it where all packages are installed; the command unpacks it.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.gpu.papers import papers, profile_of
from moebench.data.sources.source import Source
from moebench.data.text import Text
from moebench.data.token_archive import CorpusKey, pack, unpack
from moebench.experiment import source_of
from moebench.papers import Target
from moebench.run.plan_jobs import load_arm

FILE = Path(__file__).parent / "carried" / "text.tar.gz"
LARGEST = 16 * 2**20  # bytes


def wanted() -> Iterator[tuple[CorpusKey, Source]]:
    """Yield the texts of all runs, without repeats."""
    seen: set[CorpusKey] = set()
    for found in papers():
        for data in _data(found):
            if data["class_path"] != f"{Text.__module__}.{Text.__qualname__}":
                continue
            described = json.dumps(data["init_args"]["source"], sort_keys=True)
            key = CorpusKey(described, data["init_args"]["vocabulary"])
            if key not in seen:
                seen.add(key)
                yield key, source_of(described)


def _data(found: Target) -> Iterator[Mapping[str, Any]]:
    """Yield the data settings of a paper's runs, once for arms that share them."""
    profile, seen = profile_of(found, small=False), set()
    for arm in map(found.plan.arm, profile.arms):
        base = found.plan.arm(arm.twin_of) if arm.twin_of else arm
        own = {**base.settings, **profile.arm_settings.get(base.name, {})}
        says = str([base.configs, {k: v for k, v in own.items() if k.startswith("data")}])
        if says not in seen:
            seen.add(says)
            yield load_arm(found, base, profile, {}).config["data"]


def unpacked(path: Path) -> None:
    """Unpack carried token files to where runs look for them.

    Raises:
        ValueError: if they cannot be used.
    """
    unpack(path, source_of)


def main() -> None:
    """Pack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    pack(wanted(), options.out)
    size = options.out.stat().st_size
    print(f"{options.out}: {size / 2**20:.1f} MiB")
    if size > LARGEST:
        parser.error(f"{options.out}: larger than {LARGEST / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
