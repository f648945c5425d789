#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""On 1.1.2025 the employment area follows the employment office: one act of two administrators, in the middle of handovers.

The network is oulu-2026, the clock stands on 30.12.2024. The office holds, offers, receives, has taken over and has handed on; then
its open cases go to the area at once, and everybody goes on from where they stood.
"""

import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from installation import Installation, Report, SAATTO, ROOT  # noqa: E402

OFFICE, AREA, CITY, KELA = "oulu-te", "oulu-employment-area", "oulu", "kela-oulu"
REASON = "380/2023, siirtyminen 1.1.2025"


class Suite:
    def __init__(self, i):
        self.i = i
        self.cases = {}

    # ---- the parties' events

    def act(self, case, event, org, *more):
        return self.i.json("handover", event, self.cases[case], "--org", org, *more)

    def open(self, name, org):
        started = self.i.json("case", "start", "--org", org, "--workflow", "saattaen-vaihtaen", "--home", CITY, "--record", name, "--client",
                              f"client of {name}", "--set", f"record={name}", "--set", "hetu=010180-999A", "--set", "need=tuki", "--set", "goal=työ")
        self.cases[name] = started[0]["case"]

    def offer(self, name, org, receiver):
        self.open(name, org)
        self.act(name, "task-result", org, "--exit", "moves", "--name", f"receiver={receiver}", "--set", "health=ei")
        self.act(name, "consent-refuse", org, "--id", "health-to-receiver")

    def promise(self, name, receiver):
        self.act(name, "accept", receiver)
        self.act(name, "book", receiver, "--at", "2025-01-08 10:00")

    def take_over(self, name, receiver):
        self.promise(name, receiver)
        self.act(name, "met", receiver)
        self.act(name, "confirm-takeover", receiver)

    def show(self, name):
        return self.i.json("case", "show", self.cases[name])

    def holder(self, name):
        return self.show(name)["holder"].split("/")[0]

    def refused(self, *words):
        done = subprocess.run([str(SAATTO), "org", "succeed", *map(str, words), "--var", str(self.i.var)], cwd=ROOT, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert done.returncode != 0, done.stdout
        return done.stderr

    # ---- tests, in their order

    def under_way(self):
        self.open("held", OFFICE)
        self.offer("offered", OFFICE, CITY)
        self.offer("booked", OFFICE, CITY)
        self.promise("booked", CITY)
        self.offer("incoming", CITY, OFFICE)
        self.promise("incoming", OFFICE)
        self.act("incoming", "met", OFFICE)
        self.offer("taken", CITY, OFFICE)
        self.take_over("taken", OFFICE)
        self.offer("handed-on", OFFICE, CITY)
        self.take_over("handed-on", CITY)
        self.offer("others", CITY, KELA)
        self.open("closed", OFFICE)
        self.act("closed", "task-result", OFFICE, "--exit", "not-now", "--set", "why-not=no-need")
        assert self.holder("taken") == OFFICE and self.holder("handed-on") == CITY
        self.before = {name: self.show(name) for name in self.cases}

    def keys(self):
        self.office_key, self.area_key, self.city_key = (self.i.folder / f"{org}-admin.key" for org in (OFFICE, AREA, CITY))
        for org, path in ((OFFICE, self.office_key), (AREA, self.area_key), (CITY, self.city_key)):
            self.i.run("org", "key", "new", org, "--operator", "--file", path)
            assert path.stat().st_mode & 0o077 == 0, "a key is its owner's alone"

    def not_before_its_time(self):
        said = self.refused(OFFICE, AREA, "--key", self.office_key, "--second", self.area_key, "--reason", REASON)
        assert "E-not-in-force" in said, said
        self.i.run("clock", "advance", "--to", "2025-01-02 09:00", "--timeout", "60", timeout=90)

    def two_administrators(self):
        common = ("--reason", REASON)
        for words, code in (((OFFICE, AREA, "--key", self.office_key, *common), "E-usage"),
                            ((OFFICE, AREA, "--key", self.office_key, "--second", self.office_key, *common), "E-two-persons"),
                            ((OFFICE, AREA, "--key", self.office_key, "--second", self.city_key, *common), "E-two-persons"),
                            ((OFFICE, AREA, "--key", self.i.var / "keys" / f"{OFFICE}.key", "--second", self.area_key, *common), "E-two-persons"),
                            ((OFFICE, CITY, "--key", self.office_key, "--second", self.city_key, *common), "E-refused"),
                            ((OFFICE, AREA, "--key", self.area_key, "--by", AREA, "--second", self.area_key, *common), "E-refused")):
            said = self.refused(*words)
            assert code in said, (words, said)
        assert self.rows("SELECT count(*) FROM succession") == "0", "no act without two administrators"

    def one_act(self):
        dry = self.i.json("org", "succeed", OFFICE, AREA, "--reason", REASON, "--dry-run")
        assert dry["cases"] == 6 and dry["dry_run"], dry
        done = self.i.json("org", "succeed", OFFICE, AREA, "--key", self.office_key, "--second", self.area_key, "--reason", REASON)
        assert done["cases"] == 6 and len(done["act"]) == 36, done
        assert self.rows("SELECT count(*) FROM succession") == "1"
        assert self.rows(f"SELECT reason FROM succession WHERE id = '{done['act']}'") == REASON
        linked = self.rows("SELECT count(DISTINCT e.case_id) FROM succession_case c JOIN event e ON e.leaf = c.leaf AND e.case_id = c.case_id "
                           f"WHERE c.act = '{done['act']}' AND e.kind = 50 AND e.code = 0")
        assert linked == "6", f"each case's own event is linked to the act: {linked}"
        again = self.i.json("org", "succeed", OFFICE, AREA, "--key", self.office_key, "--second", self.area_key, "--reason", REASON)
        assert again["cases"] == 0, "nothing is left"

    def all_follow(self):
        for name in ("held", "offered", "booked", "taken"):
            assert self.show(name)["holder"] == f"{AREA}/job-seekers", (name, self.show(name)["holder"])
        for name in ("incoming", "handed-on", "others"):
            assert self.holder(name) == CITY, name
        assert self.show("others")["events"] == self.before["others"]["events"], "no case of others is touched"
        assert self.show("closed")["events"] == self.before["closed"]["events"], "what has ended stays as it was"
        for name in ("offered", "booked", "incoming"):
            parties = {x["from"].split("/")[0] for x in self.i.json("handover", "show", self.cases[name])} | \
                      {x["to"].split("/")[0] for x in self.i.json("handover", "show", self.cases[name])}
            assert OFFICE not in parties and AREA in parties, (name, parties)

    def office_is_out(self):
        done = subprocess.run([str(SAATTO), "handover", "task-result", self.cases["held"], "--org", OFFICE, "--exit", "not-now", "--set", "why-not=no-need",
                               "--var", str(self.i.var)], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert done.returncode == 4, done.stderr
        assert self.show("held")["holder"] == f"{AREA}/job-seekers"

    def they_go_on(self):
        self.act("booked", "met", CITY)
        self.act("booked", "confirm-takeover", CITY)
        assert self.holder("booked") == CITY
        self.act("offered", "accept", CITY)
        self.act("incoming", "confirm-takeover", AREA)
        assert self.holder("incoming") == AREA, "what the office was about to take over the area takes over"
        self.act("taken", "give-back", AREA, "--reason", "wrong-service")
        assert self.holder("taken") == CITY, "the right of return has followed"
        self.act("handed-on", "give-back", CITY, "--reason", "wrong-service")
        assert self.holder("handed-on") == AREA, "who handed on takes back, under its new name"
        self.act("held", "task-result", AREA, "--exit", "not-now", "--set", "why-not=no-need")
        assert self.show("held")["holder"] in (None, ""), "closed by the area"

    def replays(self):
        self.i.run("audit", "replay")

    def rows(self, text):
        psql = shutil.which("psql") or "/usr/lib/postgresql/15/bin/psql"
        return subprocess.run([psql, "-qXtA", "-v", "ON_ERROR_STOP=1", "-c", text, self.i.info["dsn"]["admin"]], check=True, capture_output=True,
                              text=True).stdout.strip()


TESTS = [
    ("handovers are under way in both directions", "under_way"),
    ("administrators have keys of their own", "keys"),
    ("a successor that is not in force takes nothing over", "not_before_its_time"),
    ("it takes two administrators, each of the right organisation", "two_administrators"),
    ("one act moves every open case, each in an event linked to it", "one_act"),
    ("holder, desk, offers and rights have followed, other cases have not", "all_follow"),
    ("the predecessor makes no event any more", "office_is_out"),
    ("everybody goes on from where they stood", "they_go_on"),
    ("afterwards the logs fold into the stored states", "replays"),
]


def main():
    report = Report()
    os.environ.pop("SAATTO_VAR", None)
    with Installation("--clock=manual", "--start", "2024-12-30 09:00", "--network", "oulu-2026", "--no-workers") as i:
        suite = Suite(i)
        for name, method in TESTS:
            report.attempt(name, getattr(suite, method))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
