"""Makes a suite for `regroove evaluate` of the validation music in a preset of the noise synthesiser.

    python benchmarks/preset_suite.py rough --preset shellac-rough
    regroove evaluate --suite rough --methods untouched,wiener,matched

Every piece of the validation suite, full band, at its four SNRs, with 1.5 s of noise in front: 28 clips.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from regroove.evaluation.cases.suites import write_manifest
from regroove.evaluation.cases.validation_suite import BANDS, PRESET, validation_suite
from regroove.noise.make.presets import PRESETS


def main() -> None:
    """Write the folder's manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="shellac-rough")
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    cases = [
        replace(
            case,
            name=case.name.replace(PRESET, options.preset),
            noise=options.preset,
            clean=str(Path(case.clean).resolve()),
        )
        for case in validation_suite(options.data).cases
        if case.noise == PRESET and (case.low_hz, case.high_hz) == BANDS[0]
    ]
    options.folder.mkdir(parents=True, exist_ok=True)
    write_manifest(options.folder / "manifest.csv", cases)
    print(f"Wrote {options.folder / 'manifest.csv'}: {len(cases)} cases.")


if __name__ == "__main__":
    main()
