#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""The whole of Saatto by its command line, as its users meet it.

Two installations on the manual clock run side by side. In `a` two organisations are programs behind the adapter exec and
`saatto dev` is stopped and started; `b` has no workers, is left alone, and in the end is damaged on purpose.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from installation import BUILD, ROOT, SAATTO, Installation, Report, select_briefly  # noqa: E402

NOBODY = "00000000-0000-8000-8000-000000000000"
SAMPLE = ROOT / "workers" / "samples" / "exec-sample.py"
ENDED, FAILED, USAGE, NOT_FOUND, REFUSED, UNREACHABLE, DIFFERENT = 0, 1, 2, 3, 4, 5, 10


def saatto(*words, var=None, env=None):
    """(status, standard output, standard error) of a command."""
    more = ["--var", str(var)] if var else []
    done = subprocess.run([str(SAATTO), *map(str, words), *more], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def wait(condition, timeout_s=20):
    until = time.monotonic() + timeout_s
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < until, "it did not come to it"
        select_briefly()


def start(i, record, *more, status=ENDED):
    """Starts a wage-subsidy case about the client of that name, unless `more` names another; returns its answer."""
    client = [] if "--client" in more else ["--client", f"client of {record}"]
    return i.json("case", "start", "--org", "oulu", "--workflow", "palkkatuki", "--home", "oulu", "--record", record, "--set",
                  f"record={record}", "--set", "hetu=010180-999A", *client, *more, status=status)[0]


def alive(pid):
    """Whether a process runs; one that only waits to be reaped has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def named_by(i):
    """The processes that an installation's file names; they run as long as it does."""
    pids = json.loads((i.var / "saatto.json").read_text())["pids"]
    return {pids["dev"], pids["postgres"], pids["saattod"], *pids.get("workers", {}).values()}


def processes_of(i):
    """Every process of an installation: what its file names, and their descendants. A descendant
    may end at any time: PostgreSQL starts one for a connection or a vacuum."""
    family = named_by(i)
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
        except OSError:
            continue
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return family
        family |= more


def sql(i, text):
    psql = shutil.which("psql") or "/usr/lib/postgresql/15/bin/psql"
    subprocess.run([psql, "-qX", "-v", "ON_ERROR_STOP=1", "-c", text, i.info["dsn"]["admin"]], check=True, capture_output=True)


def page(i, path):
    try:
        with urllib.request.urlopen(f"http://{i.info['http']}{path}", timeout=10) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


class Suite:
    def __init__(self, a, b):
        self.a, self.b = a, b
        self.work = a.folder

    # ---- an organisation's own program

    def program_answers(self):
        self.handed = start(self.a, "handed")["case"]
        taken = self.a.json("handover", "task-result", self.handed, "--org", "oulu", "--exit", "no-place")
        assert taken["taken"] and len(taken["leaf"]) == 64, taken
        offer = wait(lambda: [x for x in self.a.json("handover", "show", self.handed) if x["state"] == "accepted"])[0]
        assert offer["to"].startswith("oulu-te/") and offer["meeting"] is None, offer
        by = [(e["event"], e["by"]) for e in self.a.json("case", "show", self.handed)["events"]]
        assert by[-1] == ("accept", "oulu-te"), by
        assert self.a.json("case", "show", self.handed)["holder"].startswith("oulu/"), "accepted is not taken over"

    # ---- duplicates

    def same_record_same_case(self):
        first = start(self.a, "twice")
        again = start(self.a, "twice")
        assert first["case"] == again["case"] and again["state"] == "started before", again

    # R3, R12, R58: no second case or plan of the same kind
    def one_open_case(self):
        first = start(self.a, "one", "--client", "the same person")
        second = start(self.a, "two", "--client", "the same person", status=REFUSED)
        assert second["state"] == "refused" and first["case"] in second["what"], second
        _, _, said = saatto("case", "start", "--org", "oulu", "--workflow", "palkkatuki", "--home", "oulu", "--record", "three", "--client",
                            "the same person", "--set", "record=x", "--set", "hetu=010180-999A", var=self.a.var)
        assert "E-duplicate-case" in said and first["case"] in said, said

    # ---- the command line's contract

    def exit_statuses(self):
        broken = self.broken_workflow()
        for expected, code, words in (
                (ENDED, "", ["case", "list"]),
                (FAILED, "E-config", ["flow", "check", broken]),
                (USAGE, "E-usage", ["case", "list", "--nonsense"]),
                (USAGE, "E-usage", ["nonsense"]),
                (USAGE, "E-usage", ["message", "dead", "redrive", "--reason", "x", "--seq", "3"]),
                (NOT_FOUND, "E-not-found", ["case", "show", NOBODY]),
                (NOT_FOUND, "E-not-found", ["explain", "E-nonsense"]),
                (REFUSED, "E-wrong-state", ["handover", "accept", self.handed, "--org", "oulu-te"]),
                (REFUSED, "E-refused", ["dev", "--detach"])):
            status, _, said = saatto(*words, var=self.a.var)
            assert status == expected and code in said, (words, status, said)
        status, _, said = saatto("status", var=self.work / "nothing-here")
        assert status == UNREACHABLE and "E-unreachable" in said, (status, said)

    def json_alone(self):
        for words in (["case", "list"], ["case", "show", self.handed], ["case", "why", self.handed], ["handover", "list"],
                      ["handover", "show", self.handed], ["queue", "list"], ["message", "dead", "list"], ["org", "list"],
                      ["org", "key", "list"], ["flow", "list"], ["flow", "check", "palkkatuki"], ["clock", "show"], ["status"], ["doctor"],
                      ["version"], ["explain"], ["explain", "E-gap"], ["audit", "replay"]):
            status, out, said = saatto(*words, "-o", "json", var=self.a.var)
            assert status == ENDED, (words, status, said)
            json.loads(out)
        for words in (["case", "show", NOBODY], ["case", "list", "--nonsense"], ["explain", "E-nonsense"]):
            _, out, said = saatto(*words, "-o", "json", var=self.a.var)
            assert (out == "" or json.loads(out) is not None) and said.startswith("E-"), (words, out, said)

    def explains(self):
        rows = self.a.json("explain")
        table = re.findall(r"X\(\s*\w+,\s*(\d+),\s*\"([^\"]+)\",\s*(\d+),\s*(\d+)", (ROOT / "lib" / "sto_err.h").read_text().replace("\\\n", " "))
        assert len(rows) == len(table) > 40, (len(rows), len(table))
        for number, code, http, status in table:
            row = self.a.json("explain", code)
            assert (row["number"], row["http"], row["exit"]) == (int(number), int(http), int(status)) and row["explain"], row

    def fingerprint(self):
        a = self.a
        status = a.json("status")
        files = sorted((str(p), p.read_bytes()) for p in a.var.glob("keys/*")) + [p.read_bytes() for p in a.var.glob("starts.jsonl")]
        return (status["events"], status["configuration"], status["now"], a.json("case", "list"), a.json("flow", "list"),
                a.json("org", "key", "list"), files)

    def dry_runs(self):
        before = self.fingerprint()
        key = self.a.new_key()[0]
        own = (self.a.var / "keys" / "verve.key").read_text().split()[0]
        for words in (["case", "start", "--cohort", "info-500"],
                      ["handover", "book", self.handed, "--org", "oulu-te", "--at", "2005-01-12 10:00"],
                      ["flow", "deploy", self.next_version()],
                      ["clock", "advance", "--by", "1 year"],
                      ["org", "key", "new", "verve"], ["org", "key", "add", "verve", key],
                      ["org", "key", "revoke", own, "--reason", "x"],
                      ["message", "dead", "redrive", "--reason", "x"]):
            status, out, said = saatto(*words, "--dry-run", "-o", "json", var=self.a.var)
            assert status == ENDED and json.loads(out) is not None, (words, status, said)
        assert self.fingerprint() == before

    # ---- configurations that are wrong

    def broken_workflow(self):
        folder = self.work / "broken" / "palkkatuki"
        if not folder.exists():
            shutil.copytree(ROOT / "workflows" / "palkkatuki", folder)
            text = (folder / "workflow.cfg").read_text()
            for good, bad in (('first = "prepare"', 'first = "prepair"'), ('no-place = "to-te"', 'no-place = "nowhere"'),
                              ('apply-time    : { type = "duration"', 'apply-time : { type = "duratoin"')):
                assert good in text
                text = text.replace(good, bad, 1)
            (folder / "workflow.cfg").write_text(text)
        return folder

    def wrong_settings(self):
        config = self.work / "wrong.cfg"
        config.write_text('listn = "tcp://127.0.0.1:7700";\ncache-cases = 0;\nhttp = 5;\n')
        done = subprocess.run([BUILD / "bin" / "saattod", "-c", config, "--set", "batch-events=many", "--set", "nonsense=1"], capture_output=True,
                              text=True, timeout=30, check=False)
        assert done.returncode == FAILED and done.stdout == "", done
        for part in ("wrong.cfg:1:", "'listn'", "did you mean 'listen'", "wrong.cfg:2:", "64..65536", "wrong.cfg:3:", "'batch-events'", "'nonsense'"):
            assert part in done.stderr, (part, done.stderr)
        done = subprocess.run([BUILD / "bin" / "saattod", "--set", "listen=nowhere", "--set", "http=there", "--set", f"server-key={config}"],
                              capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == FAILED, done
        for part in ("'listen' must be", "'http' must be", "key file"):
            assert part in done.stderr, (part, done.stderr)

    def broken_is_refused(self):
        folder = self.broken_workflow()
        found = self.a.json("flow", "check", folder, status=FAILED)
        text = json.dumps(found)
        assert len(found) >= 3 and "prepair" in text and "nowhere" in text and "duratoin" in text, found
        assert all(x["line"] > 0 and x["file"].endswith("workflow.cfg") for x in found), found
        before = self.a.json("flow", "list")
        self.a.run("flow", "deploy", folder, status=FAILED)
        assert self.a.json("flow", "list") == before

    # ---- a new version of a workflow

    def next_version(self):
        """Version 2, in which `prepare` knows no 'no-place'."""
        folder = self.work / "next" / "palkkatuki"
        if not folder.exists():
            shutil.copytree(ROOT / "workflows" / "palkkatuki", folder)
            text = (folder / "workflow.cfg").read_text()
            for old, new in (("version = 1;", "version = 2;"), ('no-place = "to-te";', 'none-found = "to-te";')):
                assert old in text
                text = text.replace(old, new, 1)
            (folder / "workflow.cfg").write_text(text)
            for scenario in folder.glob("scenarios.cfg"):
                scenario.write_text(scenario.read_text().replace("no-place", "none-found"))
            texts = folder / "texts.cfg"
            texts.write_text(texts.read_text().replace("no-place", "none-found"))
        return folder

    # R133: a running case keeps the version that it began with
    def hot_deployment(self):
        a = self.a
        old = start(a, "of version 1")["case"]
        [done] = a.json("flow", "deploy", self.next_version())
        assert done["deployed"] == "deployed", done
        new = start(a, "of version 2")["case"]
        self.of_1, self.of_2 = old, new
        assert a.json("case", "show", old)["version"] == 1 and a.json("case", "show", new)["version"] == 2
        no = a.json("handover", "task-result", new, "--org", "oulu", "--exit", "no-place", status=REFUSED)
        assert not no["taken"], no
        for case, way in ((old, "no-place"), (new, "none-found")):
            assert a.json("handover", "task-result", case, "--org", "oulu", "--exit", way)["taken"]
            assert a.json("case", "show", case)["work"][0]["step"] == "to-te"
        text = (self.next_version() / "workflow.cfg").read_text()
        (self.next_version() / "workflow.cfg").write_text(text.replace('"3 months"', '"2 months"', 1))
        a.run("flow", "deploy", self.next_version(), status=REFUSED)  # other bytes under a version that stands

    # ---- a workflow that calls another

    def calls_are_deployed_whole(self):
        a, folder = self.a, self.work / "calls"
        head = """workflow : {{ id = "{0}";  version = 1;  purpose = "employment-services";
  roles : {{ lead : {{ kind = "municipality";  choose = "start"; }}; }};
  data : {{ record : {{ type = "text";  category = "identity"; }};  said : {{ type = "text";  category = "plan"; }}; }};
  start : {{ by = "lead";  requires = "record";  first = "{1}"; }};  on : {{ client-left = "over"; }};
  steps : {{ {2}  over : {{ type = "end";  outcome = "over"; }}; }}; }};"""
        steps = {"calling": ("help", """help : { type = "call";  workflow = "called";  version = 1;  gives : { record = "record"; };
    takes : { said = "said"; };  on : { told = "after";  over = "over"; }; };
  after : { type = "task";  role = "lead";  within = "5 days";  on : { done = "over";  expired = "stay"; }; };"""),
                 "called": ("talk", """talk : { type = "task";  role = "lead";  carries = "record";  within = "5 days";
    on : { done : { to = "told";  collects = "said"; };  stop = "over";  expired = "stay"; }; };
  told : { type = "end";  outcome = "told"; };""")}
        for name, (first, more) in steps.items():
            (folder / name).mkdir(parents=True)
            (folder / name / "workflow.cfg").write_text(head.format(name, first, more))
        [done] = a.json("flow", "deploy", folder / "calling")
        assert done["deployed"] == "deployed", done
        shutil.rmtree(folder)  # a deployed version needs nobody's files
        [row] = [x for x in a.json("flow", "list") if x["id"] == "calling"]
        assert row["calls"] == "called" and row["subject"] == "client", row
        case = a.json("case", "start", "--org", "oulu", "--workflow", "calling", "--home", "oulu", "--record", "calls", "--set", "record=r",
                      "--client", "client of calls")[0]["case"]
        assert [w["step"] for w in a.json("case", "show", case)["work"]] == ["help", "help.talk"]
        assert a.json("handover", "task-result", case, "--org", "oulu", "--exit", "done", "--set", "said=s")["taken"]
        assert [w["step"] for w in a.json("case", "show", case)["work"]] == ["after"]
        assert a.json("handover", "task-result", case, "--org", "oulu", "--exit", "done")["taken"]

    # ---- cases that go on, and cases beside others

    def advice(self):
        """A workflow that ends in another: its record and identity go along, its note does not."""
        folder = self.work / "advice"
        folder.mkdir(exist_ok=True)
        (folder / "workflow.cfg").write_text("""workflow : { id = "advice";  version = 1;  source = "test";  purpose = "wage-subsidy";
          roles : { lead : { kind = "municipality";  service = "employment-services";  choose = "start"; }; };
          data : { record : { type = "text";  category = "identity"; };  hetu : { type = "hetu";  category = "identity";  sealed = true; };
            note : { type = "text";  category = "plan"; }; };
          start : { by = [ "lead" ];  requires = [ "record", "hetu" ];  first = "talk"; };
          on : { client-left = "left"; };
          steps : { talk : { type = "task";  role = "holder";  collects = [ "note" ];  within = "10 business days";
              on : { work = "on";  nothing = "left";  expired = "stay"; }; };
            on : { type = "end";  outcome = "on";  continues = "palkkatuki"; };
            left : { type = "end";  outcome = "left"; }; }; };
          """)
        (folder / "texts.cfg").write_text("texts : { " + " ".join(
            f'{name} : {{ fi = "a"; sv = "a"; en = "a"; }};' for name in ("advice", "talk", "on", "left", "work", "nothing")) + " };\n")
        return folder

    def goes_on(self):
        a = self.a
        a.json("flow", "deploy", self.advice())
        words = ("case", "start", "--org", "oulu", "--workflow", "advice", "--home", "oulu", "--client", "who asks", "--set", "record=adv",
                 "--set", "hetu=010180-999A")
        case = a.json(*words, "--record", "adv")[0]["case"]
        assert a.json("handover", "task-result", case, "--org", "oulu", "--exit", "work", "--set", "note=n")["taken"]
        a.run("clock", "advance", "--by", "1 minute")
        shown = a.json("case", "show", case)
        assert shown["workflow"] == "palkkatuki" and shown["version"] == 2 and shown["work"][0]["step"] == "prepare", shown
        assert shown["holder"].startswith("oulu/"), shown
        again = start(a, "adv", "--client", "who asks", status=REFUSED)  # now the client has an open wage-subsidy case
        assert case in again["what"], again
        beside = a.json(*words, "--record", "beside")[0]["case"]
        assert a.json("case", "show", beside)["holder"] == shown["holder"]

    def third_version(self):
        """Version 3: the step `prepare` is called `search`."""
        folder = self.work / "third" / "palkkatuki"
        if not folder.exists():
            shutil.copytree(self.next_version(), folder)
            for file in folder.glob("*.cfg"):
                text = file.read_text().replace("version = 2;", "version = 3;").replace('"2 months"', '"3 months"', 1)
                file.write_text(re.sub(r'"prepare"', '"search"', re.sub(r"^( *)prepare ", r"\1search ", text, flags=re.M)))
        return folder

    def dues_of(self, i, case):
        return sorted(x["due"] for x in i.json("case", "show", case)["clocks"])

    def migration(self):
        a = self.a
        waits, handed = start(a, "waits on 2")["case"], start(a, "handed on 2")["case"]
        assert a.json("handover", "task-result", handed, "--org", "oulu", "--exit", "none-found")["taken"]
        on_2 = {x["case"] for x in a.json("case", "list", "--workflow", "palkkatuki", "--open")
                if a.json("case", "show", x["case"])["version"] == 2}
        [done] = a.json("flow", "deploy", self.third_version())
        assert done["deployed"] == "deployed", done
        due = self.dues_of(a, waits)
        move = ["flow", "migrate", "palkkatuki", "--from", "2", "--to", "3"]
        # all that would strand are named, and then nobody moves
        for more in (["--dry-run"], []):
            status, out, said = saatto(*move, *more, var=a.var)
            assert status == REFUSED and "would strand" in said, (status, out, said)
            assert f"{waits}: stands on step 'prepare', which has no counterpart" in out and handed not in out, out
        assert a.json("case", "show", handed)["version"] == 2
        # with the map all move, and go on as they would have
        pairs = self.work / "map.cfg"
        pairs.write_text('map = ( [ "prepare", "search" ] );\n')
        rows = a.json(*move, "--map", pairs, "--dry-run")
        assert {x["case"] for x in rows} == on_2 and not any(x["strands"] for x in rows), rows
        assert a.json("case", "show", waits)["version"] == 2
        a.run(*move, "--map", pairs)
        shown = a.json("case", "show", waits)
        assert shown["version"] == 3 and shown["work"][0]["step"] == "search", shown
        assert (shown["events"][-1]["event"], shown["events"][-1]["by"]) == ("migrate", "oulu"), shown["events"][-1]
        assert due and self.dues_of(a, waits) == due, shown
        assert a.json("case", "show", handed)["version"] == 3
        assert a.json(*move, "--map", pairs) == []  # nobody is left
        assert a.json("handover", "task-result", waits, "--org", "oulu", "--exit", "none-found")["taken"]
        assert a.json("case", "show", waits)["work"][0]["step"] == "to-te"

    def migration_is_the_operators(self):
        a = self.a
        operator = a.var / "keys" / "oulu.operator.key"
        kept = operator.read_bytes()
        case = start(a, "stays on 3")["case"]
        folder = self.work / "fourth" / "palkkatuki"
        shutil.copytree(self.third_version(), folder)
        cfg = folder / "workflow.cfg"
        cfg.write_text(cfg.read_text().replace("version = 3;", "version = 4;"))
        a.run("flow", "deploy", folder)
        operator.write_bytes((a.var / "keys" / "oulu.key").read_bytes())  # an organisation's own key
        try:
            status, _, said = saatto("flow", "migrate", "palkkatuki", "--from", "3", "--to", "4", var=a.var)
            assert status == REFUSED and "E-not-allowed" in said, (status, said)
        finally:
            operator.write_bytes(kept)
        assert a.json("case", "show", case)["version"] == 3

    def histories_are_played_on_another_version(self):
        a = self.a
        rows = {x["case"]: x for x in a.json("flow", "replay", "palkkatuki", status=DIFFERENT)}
        assert len(rows) == len(a.json("case", "list", "--workflow", "palkkatuki")), rows
        assert rows[self.of_1]["result"] == "same", rows[self.of_1]
        differs = rows[self.of_2]
        assert (differs["result"], differs["kind"]) == ("differs", "task_result") and "refused" in differs["what"], differs
        assert a.json("flow", "replay", "palkkatuki", "--case", self.of_1)[0]["result"] == "same"
        said = a.run("flow", "replay", "palkkatuki", status=DIFFERENT)
        assert "hetu" not in said and "010180" not in said and f"{self.of_2}: event 2, task_result" in said, said

    def difference_to_what_is_deployed(self):
        said = self.a.run("flow", "diff", self.next_version(), "--version", "1")
        assert "the workflow: version is now '2'; before, '1'" in said and "step 'prepare': exit 'no-place' is gone" in said, said

    # ---- figures

    def pages(self):
        assert page(self.a, "/livez") == (200, "ok\n")
        assert page(self.a, "/readyz") == (200, "ready\n")
        status, text = page(self.a, "/readyz?verbose")
        assert status == 200 and text.count("[+]") == 4 and "[-]" not in text, text
        assert page(self.a, "/nonsense")[0] == 404
        status, text = page(self.a, "/metrics")
        assert status == 200
        for line in text.splitlines():
            assert re.fullmatch(r"# TYPE saatto_\w+ (counter|gauge|histogram)|saatto_\w+(\{[^{}]*\})? [-+.e0-9]+", line), line
        documented = (ROOT / "docs" / "how-to" / "read-the-metrics.md").read_text()
        for name in re.findall(r"# TYPE (saatto_\w+)", text):
            assert name in documented, f"{name} is not in docs/how-to/read-the-metrics.md"

    def figures(self):
        for i in (self.a, self.b):
            n = len([c for c in i.json("case", "list") if c["state"] == "open"])
            wait(lambda i=i, n=n: i.metric("saatto_cases_open") == {"": n})
            assert i.metric("saatto_cases_without_holder") == {"": 0}

    # ---- side by side, stopped and started

    def side_by_side(self):
        a, b = self.a, self.b
        assert a.info["endpoint"] != b.info["endpoint"] and a.info["http"] != b.info["http"]
        start(b, "only in b")
        assert len(b.json("case", "list")) == 1 and not processes_of(a) & processes_of(b)
        assert b.json("case", "list")[0]["case"] not in [c["case"] for c in a.json("case", "list")]

    def clocks_of(self, i, case):
        return [(e["event"], e["at"][:19]) for e in i.json("case", "show", case)["events"]]

    def stop_and_start(self):
        """The same case in both installations: of one that was down in between, every clock fires once, at the same instant."""
        a, b = self.a, self.b
        b.run("clock", "advance", "--to", a.json("clock", "show")["now"])
        pair = [(i, start(i, "in both")["case"]) for i in (a, b)]
        for i in (a, b):
            i.run("clock", "advance", "--by", "89 days")
        before = a.json("case", "list"), a.json("clock", "show"), a.json("flow", "list"), a.json("org", "key", "list")
        running = processes_of(a)
        dead = {pid for pid in named_by(a) if not alive(pid)}
        assert len(running) > 15 and not dead, (running, dead)
        a.stop()
        assert not [pid for pid in running if alive(pid)], "something is left running"
        status, _, said = saatto("case", "list", var=a.var)
        assert status == UNREACHABLE and "E-unreachable" in said, (status, said)
        a.run("dev", "--detach", *OF_A)
        a.up = True
        a.info = json.loads((a.var / "saatto.json").read_text())
        assert (a.json("case", "list"), a.json("clock", "show"), a.json("flow", "list"), a.json("org", "key", "list")) == before
        for i in (a, b):
            i.run("clock", "advance", "--by", "30 days")
        (_, of_a), (_, of_b) = pair
        assert self.clocks_of(a, of_a) == self.clocks_of(b, of_b), (self.clocks_of(a, of_a), self.clocks_of(b, of_b))
        assert [e for e, _ in self.clocks_of(a, of_a)].count("clock") >= 2, self.clocks_of(a, of_a)

    # ---- what cases share

    def service(self, name):
        return next(s for s in self.b.json("service", "list") if s["service"] == name)

    def wish(self, wanted):
        return self.b.json("case", "start", "--org", "oulu-typ", "--workflow", "paikka-ja-jono", "--home", "oulu", "--record", wanted,
                           "--client", f"client who wants {wanted}", "--set", f"record={wanted}", "--set", f"wanted={wanted}")[0]["case"]

    def places_are_shown_and_answered(self):
        b = self.b
        before = self.service("work-coaching")
        assert before["kind"] == "places" and before["taken"] == 0 and before["free"] == before["places"] > 0, before
        case = self.wish("coaching")
        [mine] = wait(lambda: b.json("service", "show", "work-coaching")["cases"])
        assert (mine["case"], mine["phase"]) == (case, "offered"), mine
        b.json("handover", "place-answer", case, "--org", "oulu-typ", "--exit", "got", "--name", "workplace=yhdistys-koivu")
        wait(lambda: b.json("service", "show", "work-coaching")["cases"][0]["phase"] == "reserved")
        now = self.service("work-coaching")
        assert now["taken"] == 1 and now["free"] == before["free"] - 1 and now["waiting"] == 0, now

    def quotas_are_given_back_by_their_owner(self):
        b = self.b
        self.wish("subsidy")
        wait(lambda: self.service("subsidy-private")["taken"] == 1)
        event = ["handover", "quota-return", "service:subsidy-private", "--place", 1, "--org"]
        assert not b.json(*event, "oulu", status=REFUSED)["taken"], "only its owner"
        assert b.json(*event, "oulu-te", "--dry-run")["fits"] and self.service("subsidy-private")["taken"] == 1
        assert b.json(*event, "oulu-te")["taken"]
        wait(lambda: self.service("subsidy-private")["taken"] == 0)
        b.run(*event, "oulu-te", "--dry-run", status=REFUSED)  # nothing is used any more
        b.run("service", "show", "subsidy-privat", status=NOT_FOUND)
        kinds = {s["kind"] for s in b.json("service", "list")}
        assert {"session", "group", "places", "quota", "panel"} <= kinds, kinds

    # R25: the whole history is there, and leads to what stands
    def replays(self):
        for i in (self.a, self.b):
            found = i.json("audit", "replay")
            assert found["ok"] and found["differences"] == 0 and found["events"] > 0, found

    # ---- set aside, damaged

    def redrive_names_what_it_means(self):
        b = self.b
        rows = [(0, 1, 7), (1, 1, 7), (1, 2, 7), (1, 2, 8)]  # shard, organisation, number
        sql(b, "INSERT INTO dead SELECT s, o, n, gen_random_uuid(), 2, 0, '', 0, 0, '', 1, now(), 'five sessions' FROM (VALUES "
            + ", ".join(map(str, rows)) + ") AS t(s, o, n)")

        def chosen(*words):
            return sorted((x["shard"], x["organisation"], x["seq"]) for x in b.json("message", "dead", "redrive", "--reason", "x", "--dry-run", *words))

        assert len(b.json("message", "dead", "list")) == len(chosen()) == 4
        assert chosen("--org", "oulu-te") == [(0, "oulu-te", 7), (1, "oulu-te", 7)]
        assert chosen("--org", "oulu", "--shard", 1, "--seq", 8) == [(1, "oulu", 8)]
        assert chosen("--org", "oulu", "--shard", 0, "--seq", 7) == []
        assert len(b.json("message", "dead", "list")) == 4
        sql(b, "DELETE FROM dead")

    def damage_is_found(self):
        case = self.b.json("case", "list")[0]["case"]
        sql(self.b, f"UPDATE case_row SET holder_desk = holder_desk + 1 WHERE case_id = '{case}'")
        found = self.b.json("audit", "replay", status=DIFFERENT)
        assert not found["ok"] and found["differences"] >= 1 and case in json.dumps(found["found"]), found

    def stops(self):
        for i in (self.a, self.b):
            running = processes_of(i)
            i.stop()
            assert not [pid for pid in running if alive(pid)], "something is left running"
            assert saatto("dev", "--stop", var=i.var)[0] == ENDED, "stopping what does not run does no harm"


OF_A = ["--exec", f"oulu={SAMPLE}", "--exec", f"oulu-te={SAMPLE}"]
TESTS = [
    ("an organisation's own program answers an offer through the adapter exec", "program_answers"),
    ("a start that is run again is the same case", "same_record_same_case"),
    ("a second case of a client is refused and the open one named", "one_open_case"),
    ("each kind of failure has its exit status and code", "exit_statuses"),
    ("with -o json standard output holds JSON alone", "json_alone"),
    ("explain knows every code of the table", "explains"),
    ("--dry-run changes nothing", "dry_runs"),
    ("wrong settings are all told, and nothing starts", "wrong_settings"),
    ("a broken workflow is refused with every error and its line", "broken_is_refused"),
    ("a running case keeps its workflow version, a new one takes the new", "hot_deployment"),
    ("a workflow is deployed with those that it calls, and runs through them", "calls_are_deployed_whole"),

    ("a case goes on in another workflow, and is that one's from then on", "goes_on"),
    ("cases move to another version all together, or those that would strand are named", "migration"),
    ("cases are moved with an operator's key only", "migration_is_the_operators"),
    ("recorded histories are played on another version, and told where they differ", "histories_are_played_on_another_version"),
    ("what differs from a deployed version is told", "difference_to_what_is_deployed"),
    ("livez, readyz and metrics answer, and each metric is documented", "pages"),
    ("two installations run side by side", "side_by_side"),
    ("stopped and started, an installation keeps everything and fires each clock once", "stop_and_start"),
    ("open cases are counted where they stand, after a restart too", "figures"),
    ("places are shown, offered and taken from the command line", "places_are_shown_and_answered"),
    ("a quota is used up and given back by its owner alone", "quotas_are_given_back_by_their_owner"),
    ("afterwards the logs fold into the stored states", "replays"),
    ("a redrive names what it means, shard and organisation", "redrive_names_what_it_means"),
    ("a row that was changed behind the broker's back is found", "damage_is_found"),
    ("after --stop nothing runs", "stops"),
]


def main():
    report = Report()
    os.environ.pop("SAATTO_VAR", None)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        both = [pool.submit(Installation, "--clock=manual", *more) for more in (OF_A, ["--no-workers"])]
        made = [x.result() for x in both]
    with made[0] as a, made[1] as b:
        suite = Suite(a, b)
        for name, method in TESTS:
            report.attempt(name, getattr(suite, method))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
