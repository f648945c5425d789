#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""Runs the cmocka programs of a build folder and prints `ok` or `not ok` for each of their tests.

    unit.py BUILD_DIR [PREFIX]

The programs are those that ctest knows under the label unit. A program that crashes, prints fewer
tests than it announced, or exists as tests/unit/test_*.c but not in the build, counts as failed.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 180


def programs(build):
    """name -> program, from ctest's own list."""
    listing = subprocess.run(
        ["ctest", "--test-dir", build, "-L", "^unit$", "--show-only=json-v1"],
        capture_output=True, check=True, text=True).stdout
    return {test["name"]: test["command"][0] for test in json.loads(listing)["tests"]}


def run(name, program):
    """The lines to print for one program."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:allocator_may_return_null=1",
               UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
    try:
        done = subprocess.run([program], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
        output, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output, status = late.stdout or b"", "none: it did not end"
    lines, seen, planned, bad = [], 0, 0, 0
    for line in output.decode("utf-8", "replace").splitlines():
        plan = re.fullmatch(r"1\.\.(\d+)", line)
        result = re.match(r"(ok|not ok) \d+ - (\S+)", line)
        if plan:
            planned += int(plan[1])
        elif result:
            seen += 1
            bad += result[1] == "not ok"
            lines.append(f"{result[1]} {PREFIX}{name}: {result[2]}")
        else:
            lines.append("  " + line)
    if seen < planned or planned == 0:
        lines.append(f"not ok {PREFIX}{name}: {seen} of {planned} tests ran, exit status {status}")
    elif status != 0 and bad == 0:
        lines.append(f"not ok {PREFIX}{name}: exit status {status}")
    return lines


def main():
    known = programs(sys.argv[1])
    sources = {p.stem[len("test_"):] for p in (ROOT / "tests/unit").glob("test_*.c")}
    for name in sorted(sources - set(known)):
        print(f"not ok {PREFIX}{name}: tests/unit/test_{name}.c is not in tests/CMakeLists.txt")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for lines in pool.map(lambda item: run(*item), sorted(known.items())):
            print("\n".join(lines), flush=True)


PREFIX = sys.argv[2] if len(sys.argv) > 2 else ""
main()
