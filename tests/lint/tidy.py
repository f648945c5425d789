#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""Runs clang-tidy over the sources of a build folder, only where something changed.

    tidy.py BUILD_DIR

The analyzer's group takes fifty times as long as all others together, so `tests/run nightly` alone has it.

A file that came out clean leaves a stamp named by the hash of all that its result depends on: the
file, the headers that the compiler read for it, its command line, .clang-tidy and this program.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NIGHTLY = bool(os.environ.get("SAATTO_NIGHTLY"))
LAYERS = ("lib", "core", "proto", "broker", "workers", "cli")
CLANG_TIDY = "clang-tidy-14"


def headers_by_object(build):
    """object -> headers of ours that its last compilation read, from ninja's log."""
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True)
    found, current = {}, None
    for line in listing.stdout.splitlines():
        if line and not line.startswith(" "):
            match = re.match(r"(.+\.o): ", line)
            current = found.setdefault(match[1], []) if match else None
        elif line.strip() and current is not None:
            path = pathlib.Path(build, line.strip())
            if str(path.resolve()).startswith(str(ROOT)):
                current.append(path)
    return found


def digest(entry, headers, common):
    state = hashlib.sha256(common)
    state.update(entry["command"].encode())
    for path in sorted({pathlib.Path(entry["file"]), *headers}):
        state.update(str(path).encode() + b"\0")
        state.update(path.read_bytes() if path.exists() else b"gone")
    return state.hexdigest()


def settings():
    """.clang-tidy, by day without the lines that switch the analyzer on."""
    lines = (ROOT / ".clang-tidy").read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(l for l in lines if NIGHTLY or not re.match(r"\s+clang-analyzer-", l))


def check(build, source):
    done = subprocess.run(
        [CLANG_TIDY, "-p", build, "--quiet", "--config=" + settings(),
         "--extra-arg=-w", source],  # gcc alone judges warnings
        capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + ("" if done.returncode == 0 else done.stderr)


def main():
    build = sys.argv[1]
    stamps = pathlib.Path(build, "lint", "tidy")
    stamps.mkdir(parents=True, exist_ok=True)
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as db:
        commands = json.load(db)
    headers = headers_by_object(build)
    all_headers = [p for layer in LAYERS for p in (ROOT / layer).rglob("*.h")]
    common = settings().encode() + pathlib.Path(__file__).read_bytes()
    todo, fresh = {}, set()
    for entry in commands:
        source = pathlib.Path(entry["file"])
        if source.is_relative_to(build) or not source.is_relative_to(ROOT) or \
                source.relative_to(ROOT).parts[0] not in LAYERS or str(source) in todo:
            continue
        stamp = stamps / digest(entry, headers.get(entry.get("output"), all_headers), common)
        fresh.add(stamp.name)
        if not stamp.exists():
            todo[str(source)] = stamp
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        # The longest first, so that the last worker does not sit on the biggest file alone.
        order = sorted(todo, key=os.path.getsize, reverse=True)
        for source, (status, text) in zip(order, pool.map(lambda s: check(build, s), order)):
            if status == 0:
                todo[source].touch()
            else:
                bad += 1
                print(text, flush=True)
    if bad == 0:
        for old in set(os.listdir(stamps)) - fresh:
            (stamps / old).unlink(missing_ok=True)
    print(f"clang-tidy: {len(fresh)} files, {len(todo)} of them examined anew, {bad} with findings")
    print(("not ok" if bad or not fresh else "ok") + " lint: clang-tidy finds nothing")


main()
