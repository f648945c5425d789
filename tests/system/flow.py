#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""What the command line does with a workflow's files alone: new, fmt, draw, diff. No installation."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(os.environ["SAATTO_ROOT"])
SAATTO = pathlib.Path(os.environ["SAATTO_BUILD"]) / "bin/saatto"
TMP = pathlib.Path(os.environ["SAATTO_TMP"])
TEMPLATES = ["two-party", "offer-to-many", "panel", "group", "return"]
failed = 0


def run(*words, rc=0):
    got = subprocess.run([SAATTO, *map(str, words)], capture_output=True, text=True, cwd=TMP)
    assert got.returncode == rc, f"saatto {words}: {got.returncode}\n{got.stdout}{got.stderr}"
    return got.stdout


def test(what):
    def decide(fn):
        global failed
        try:
            fn()
            print(f"ok flow: {what}")
        except Exception as e:  # noqa: BLE001
            failed += 1
            print("  " + str(e).replace("\n", "\n  "))
            print(f"not ok flow: {what}")
    return decide


def workflows():
    return [p.parent for p in sorted(ROOT.glob("workflows/*/workflow.cfg"))]


@test("every template makes a workflow that checks and plays clean")
def _():
    for name in TEMPLATES:
        folder = TMP / f"own-{name}"
        run("flow", "new", f"own-{name}", "--from", name, "--in", TMP)
        checked = run("flow", "check", folder)
        assert f"workflow 'own-{name}'" in checked and "0 errors, 0 warnings" in checked, checked
        played = run("flow", "test", folder)
        assert "0 failed" in played and "uncovered" not in played, played
        assert name not in re.findall(r"[\w-]+", (folder / "texts.cfg").read_text().split("{")[1]), name


@test("a template's name, id and folder are checked")
def _():
    run("flow", "new", "mine", "--from", "nothing", "--in", TMP, rc=3)
    run("flow", "new", "Mine", "--from", "panel", "--in", TMP, rc=2)
    run("flow", "new", "own-two-party", "--from", "panel", "--in", TMP, rc=4)
    assert not (TMP / "mine").exists()


@test("laid out files stay as they are; others are named, then laid out")
def _():
    run("flow", "fmt", "--check", ROOT / "workflows/templates", ROOT / "workflows/words.cfg")
    folder = TMP / "own-two-party"
    cfg = folder / "workflow.cfg"
    before = cfg.read_text()
    cfg.write_text(before.replace("  version = 1;", "version=1;").replace("      type", "  type"))
    assert "workflow.cfg" in run("flow", "fmt", "--check", folder, rc=10)
    assert cfg.read_text() != before
    run("flow", "fmt", folder)
    assert cfg.read_text() == before
    cfg.write_text(before + "nonsense")
    run("flow", "fmt", folder, rc=1)
    assert cfg.read_text() == before + "nonsense"
    cfg.write_text(before)


@test("pictures of all workflows are well-formed, the same each time, and in three languages")
def _():
    for folder in workflows() + [ROOT / "workflows/templates" / t for t in TEMPLATES]:
        seen = set()
        steps = set(re.findall(r"^ +([a-z0-9-]+) *:", (folder / "workflow.cfg").read_text(), re.M))
        for lang in ("fi", "sv", "en"):
            svg = run("flow", "draw", folder, "--lang", lang)
            root = ET.fromstring(svg)
            assert root.tag.endswith("svg") and root.get("viewBox"), folder
            assert svg == run("flow", "draw", folder, "--lang", lang)
            words = run("flow", "draw", folder, "--text", "--lang", lang)
            assert len(words) > 400 and "{1}" not in words and "{2}" not in words, words
            # a phrase that has no words shows its key; a step may have such a name of its own
            keys = set(re.findall(r"\b(?:type|exit|clock|choose)-[a-z]+-?\b", words))
            assert not keys - steps, (keys - steps, words)
            seen.add(words)
        assert len(seen) == 3, folder
    run("flow", "draw", workflows()[0], "--lang", "de", rc=2)


@test("a picture goes to a file, in JSON it is one value")
def _():
    target = TMP / "picture.svg"
    run("flow", "draw", "keuruu-info-500", "--file", target)
    assert target.read_text() == run("flow", "draw", "keuruu-info-500")
    assert json.loads(run("flow", "draw", "keuruu-info-500", "-o", "json"))["text"] == target.read_text()


@test("differences are told sentence by sentence; layout and order are none")
def _():
    old, new = TMP / "own-return", TMP / "newer"
    if not old.exists():
        run("flow", "new", "own-return", "--from", "return", "--in", TMP)
    shutil.copytree(old, new)
    cfg = new / "workflow.cfg"
    text = cfg.read_text()
    assert "Nothing differs." in run("flow", "diff", old, new)
    cfg.write_text(text.replace("  ", " "))
    assert "Nothing differs." in run("flow", "diff", old, new)
    for before, after in [
        ("version = 1", "version = 2"),
        ('within = "3 months"', 'within = "4 months"'),
        ('ask-again = "there"', 'ask-again = "service"'),
        ('carries = [ "record", "result" ]', 'carries = [ "result", "need" ]'),
        ('stable = "30 days"', 'stable = "40 days"'),
        ('    kept                 : { type = "end";  outcome = "kept"; };\n', ""),
        ('keep = "kept"', 'keep = "left-service"'),
    ]:
        assert before in text, before
        text = text.replace(before, after)
    cfg.write_text(text)
    said = run("flow", "diff", old, new)
    for sentence in [
        "the workflow: version is now '2'; before, '1'",
        "step 'service': the time for it is now '4 months'; before, '3 months'",
        "step 'what-now': exit 'ask-again' now leads to 'service'; before, it leads to 'there'",
        "step 'not-taken': the data sent: now also 'need', no longer 'record'",
        "step 'there': clocks stable is now '40 days'; before, '30 days'",
        "step 'kept' is gone",
        "step 'what-now': exit 'keep' now leads to 'left-service'; before, it leads to 'kept'",
    ]:
        assert sentence in said, sentence + "\n" + said
    assert len(said.splitlines()) == 7, said
    rows = json.loads(run("flow", "diff", old, new, "-o", "json"))
    assert len(rows) == 7 and {"subject": "step 'kept'"}.items() <= rows[-1].items() | rows[5].items() | rows[6].items(), rows
    back = run("flow", "diff", new, old)
    assert "step 'kept' is new: where in the workflow; type end; outcome kept" in back, back


sys.exit(1 if failed else 0)
