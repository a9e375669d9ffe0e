#!/usr/bin/env python3
"""Loads one made-up drop with vardelta and with what else there is, and prints a table of what each took.

Every tool gets the same records, is run once to see that its summary by gene is vardelta's, and is only then timed. A tool that is
not there, fails, or comes to something else is named with the reason. README.md beside this file says how to get the tools.
"""

import argparse
import datetime
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import TOOLS, Missing, Scratch

# A run that takes longer is not repeated.
SLOW_S = 60
# What averages may differ by: some tools keep qualities as single floats.
TOLERANCE = 1e-4


def timed(command, environment, log):
    """Runs a command. Returns wall seconds, processor seconds and peak bytes of it and of what it started and waited for."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if os.waitstatus_to_exitcode(status) != 0:
        log.seek(0)
        last = log.read().decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise Missing(f"{Path(command[0]).name} failed: {last[0][:200]}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def once(tool, scratch):
    """One run into an empty place."""
    target = Path(tempfile.mkdtemp(dir=scratch.directory))
    with open(target / "log", "w+b") as log:
        tool.prepare(scratch, target)
        before = tool.server_cpu_seconds(scratch)
        figures = [0.0, 0.0, 0]
        for command in tool.commands(scratch, target):
            seconds, cpu, peak = timed(command, tool.environment(scratch, target), log)
            figures = [figures[0] + seconds, figures[1] + cpu, max(figures[2], peak)]
        figures[1] += tool.server_cpu_seconds(scratch) - before
    return figures, target


def differs(found, expected, has_pathogenic):
    """What differs between two summaries, in words; None where nothing does."""
    if found.keys() != expected.keys():
        odd = sorted(found.keys() ^ expected.keys())
        return f"{len(found)} genes instead of {len(expected)}, such as {odd[0]}"
    for gene, (count, average, pathogenic) in expected.items():
        of_tool = found[gene]
        if of_tool[0] != count or not math.isclose(of_tool[1], average, abs_tol=TOLERANCE):
            return f"{gene} has {of_tool[:2]} instead of {(count, average)}"
        if has_pathogenic and of_tool[2] != pathogenic:
            return f"{gene} has {of_tool[2]} pathogenic ones instead of {pathogenic}"
    return None


def measure(tool, scratch, expected, repeat):
    """The median figures of a tool, and its summary."""
    tool.check(scratch)
    figures, target = once(tool, scratch)
    summary = tool.summary(scratch, target)
    shutil.rmtree(target)
    wrong = expected is not None and differs(summary, expected, tool.has_pathogenic)
    if wrong:
        raise Missing(f"its result is another one: {wrong}")
    runs = [figures]
    if figures[0] <= SLOW_S:
        runs = []
        for _ in range(repeat):
            figures, target = once(tool, scratch)
            shutil.rmtree(target)
            runs.append(figures)
    runs.sort()
    return (*runs[len(runs) // 2], len(runs)), summary


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=f"only these, beside vardelta: {', '.join(TOOLS)}")
    parser.add_argument("--records", type=int, default=100_000, help="records of the drop (100,000)")
    parser.add_argument("--repeat", type=int, default=3, help="timed runs of each; the median counts (3)")
    parser.add_argument("--vardelta", default="target/release/vardelta", help="the binary")
    parser.add_argument("--python", default=sys.executable, help="the Python that has what requirements.txt names")
    arguments = parser.parse_args()
    unknown = set(arguments.tools) - set(TOOLS)
    if unknown:
        parser.error(f"no tool {', '.join(sorted(unknown))}; there are {', '.join(TOOLS)}")
    wanted = ["vardelta", *(name for name in TOOLS if name != "vardelta" and name in (arguments.tools or TOOLS))]
    with tempfile.TemporaryDirectory(prefix="vardelta-compare-") as directory:
        with Scratch(directory, arguments.vardelta, arguments.python, arguments.records) as scratch:
            day = datetime.date.today().isoformat()
            print(f"{arguments.records:,} records, {scratch.bytes:,} bytes of text; {os.cpu_count()} cores, "
                  f"{platform.machine()}, Linux {platform.release()}; {day}\n")
            print("| tool | version | seconds | of vardelta's | processor seconds | peak MiB | runs |\n|---|---|---|---|---|---|---|")
            base = expected = None
            failed = False
            for name in wanted:
                tool = TOOLS[name]()
                try:
                    figures, summary = measure(tool, scratch, expected, arguments.repeat)
                except Missing as why:
                    print(f"| {tool.title} | - | not measured: {why} | | | | |", flush=True)
                    failed |= name == "vardelta" or name in arguments.tools
                    if name == "vardelta":
                        break
                    continue
                seconds, cpu, peak, runs = figures
                base, expected = base or seconds, expected or summary
                print(f"| {tool.title} | {tool.version(scratch)} | {seconds:.2f} | {seconds / base:.2f} | {cpu:.2f} | "
                      f"{peak / 2**20:.0f} | {runs} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
