#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""Checks what the documents say, and prints `ok` or `not ok` for each claim.

    docs.py [FILE…]     these documents only (default: all, and what docs/generate writes)

* Every relative link of every Markdown file leads to a file, and its #part to a heading there.
* A fenced block whose opening line is ```sh test is run, in a fresh folder, by bash -eu, with the
  built programs in PATH and SAATTO_ROOT set; blocks of one document run in order and share the
  folder; after one that fails the rest of its document is not run. If the next block opens with
  ```text output, the run must print that text; a line that is only … stands for any lines, and …
  inside a line for any characters. A Saatto left running in the folder is stopped.
* What docs/generate writes is what stands there, every metric of the broker is explained, and every
  control-flow pattern and its example has its row.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("SAATTO_BUILD", str(ROOT / "build"))
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```[ ]*$", re.S | re.M)
LIMIT_S = 120


def documents():
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others",
         "--exclude-standard", "*.md"], capture_output=True)
    if listing.returncode == 0:
        names = {ROOT / name for name in listing.stdout.decode().split("\0") if name}
    else:  # an unpacked source archive
        names = {path for path in ROOT.rglob("*.md")
                 if not path.relative_to(ROOT).parts[0].startswith(("build", ".git", "var"))}
    return sorted(path for path in names if path.is_file())


def anchors(text):
    """The ids that headings get: lower case, punctuation dropped, spaces to hyphens."""
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", BLOCK.sub("", text), re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def dead_links(path):
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text))
    for target in re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", prose):
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        name, _, part = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"{target}: no such file"
        elif part and file.suffix == ".md" and \
                part not in anchors(file.read_text(encoding="utf-8")):
            yield f"{target}: no heading for #{part}"


def matches(expected, got):
    pattern = ""
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += re.escape(line.rstrip()).replace("…", "[^\n]*") + r"[ ]*\n"
    return re.fullmatch(pattern, got.rstrip("\n") + "\n") is not None


def environment(folder):
    env = dict(os.environ, SAATTO_ROOT=str(ROOT), SAATTO_HOME=str(ROOT), HOME=folder,
               LC_ALL="C.UTF-8", PATH=f"{BUILD}/bin:{os.environ['PATH']}")
    env.pop("SAATTO_VAR", None)
    return env


def stop_what_runs(folder):
    for lock in pathlib.Path(folder).glob("*/dev.lock"):
        subprocess.run(["saatto", "dev", "--stop", "--var", str(lock.parent)], timeout=LIMIT_S,
                       env=environment(folder), stdout=subprocess.DEVNULL)


def run_blocks(path, folder):
    """(line number, what went wrong or None) for each block that is to be run."""
    text = path.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    env = environment(folder)
    for i, block in enumerate(blocks):
        if block[1].split() != ["sh", "test"]:
            continue
        line = text.count("\n", 0, block.start()) + 1
        try:
            done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", block[2]], cwd=folder,
                                  env=env, stdin=subprocess.DEVNULL, timeout=LIMIT_S, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except subprocess.TimeoutExpired:
            yield line, f"did not end in {LIMIT_S} s"
            return
        problem = None
        if done.returncode != 0:
            problem = f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        elif i + 1 < len(blocks) and blocks[i + 1][1].split() == ["text", "output"] and \
                not matches(blocks[i + 1][2], done.stdout):
            problem = f"expected:\n{blocks[i + 1][2]}got:\n{done.stdout}"
        yield line, problem
        if problem:
            return


def unexplained_metrics():
    page = (ROOT / "docs/how-to/read-the-metrics.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`saatto_(\w+)", page))
    code = "".join((ROOT / "broker" / name).read_text(encoding="utf-8")
                   for name in ("metrics.c", "gate.c", "http.c"))
    real = set(re.findall(r"# TYPE saatto_(\w+) ", code)) | \
        set(re.findall(r"\b(?:one|histogram)\(&?\w+, \"(\w+)\"", code))
    yield from (f"saatto_{name} stands on the page, not in the code" for name in sorted(told - real))
    yield from (f"saatto_{name} stands in the code, not on the page" for name in sorted(real - told))


def pattern_gaps():
    """The page has a row for each of the 43 patterns, and each example stands in the row of its number."""
    page = (ROOT / "docs/reference/patterns.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", page, re.M)
    if [int(number) for number, _, _ in rows] != list(range(1, 44)):
        yield "the rows are not 1 to 43"
    linked = {int(number): re.search(r"patterns/([^/]+)/", how) for number, how, _ in rows}
    there = {path.name for path in (ROOT / "tests/patterns").glob("[0-9]*")}
    for number, link in linked.items():
        if link and int(link[1][:2]) != number:
            yield f"row {number} shows {link[1]}"
    yield from (f"{name} stands in no row" for name in
                sorted(there - {link[1] for link in linked.values() if link}))


def report(problem, claim):
    if problem:
        print("  " + problem.replace("\n", "\n  "))
    print(("not ok docs: " if problem else "ok docs: ") + claim, flush=True)


def main():
    for path in [pathlib.Path(word).resolve() for word in sys.argv[1:]] or documents():
        name = path.relative_to(ROOT)
        report("\n".join(dead_links(path)), f"the links of {name} lead somewhere")
        with tempfile.TemporaryDirectory(dir=os.environ.get("SAATTO_TMP")) as folder:
            os.chmod(folder, 0o755)  # PostgreSQL's own user goes through it
            for line, problem in run_blocks(path, folder):
                report(problem, f"{name}:{line} does what it says")
            stop_what_runs(folder)
    if len(sys.argv) == 1:
        report("\n".join(unexplained_metrics()), "every metric of the broker is explained")
        report("\n".join(pattern_gaps()), "patterns.md has a row for each pattern and each example")
        sys.stdout.flush()
        return subprocess.run([ROOT / "docs/generate", "--check", BUILD]).returncode
    return 0


sys.exit(main())
