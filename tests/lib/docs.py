#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""Checks what the documents say, and prints `ok` or `not ok` for each claim.

* Every relative link of every Markdown file leads to a file, and its #part to a heading there.
* A fenced block whose opening line is ```sh test is run, in a fresh folder, by bash -eu, with the
  built programs in PATH and SAATTO_ROOT set; blocks of one document run in order and share the
  folder. If the next block opens with ```text output, the run must print that text; a line that is
  only … stands for any lines, and … inside a line for any characters.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
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


def run_blocks(path, folder):
    """(line number, what went wrong or None) for each block that is to be run."""
    text = path.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    env = dict(os.environ, SAATTO_ROOT=str(ROOT), HOME=folder, LC_ALL="C.UTF-8",
               PATH=f"{os.environ['SAATTO_BUILD']}/bin:{os.environ['PATH']}")
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
            continue
        problem = None
        if done.returncode != 0:
            problem = f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        elif i + 1 < len(blocks) and blocks[i + 1][1].split() == ["text", "output"] and \
                not matches(blocks[i + 1][2], done.stdout):
            problem = f"expected:\n{blocks[i + 1][2]}got:\n{done.stdout}"
        yield line, problem


def report(problem, claim):
    if problem:
        print("  " + problem.replace("\n", "\n  "))
    print(("not ok docs: " if problem else "ok docs: ") + claim, flush=True)


def main():
    for path in documents():
        name = path.relative_to(ROOT)
        report("\n".join(dead_links(path)), f"the links of {name} lead somewhere")
        with tempfile.TemporaryDirectory(dir=os.environ.get("SAATTO_TMP")) as folder:
            for line, problem in run_blocks(path, folder):
                report(problem, f"{name}:{line} does what it says")


sys.exit(main())
