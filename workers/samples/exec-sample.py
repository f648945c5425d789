#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A program of an organisation, for the adapter `exec` of saatto-worker: it accepts every offer.

Reads one delivery as JSON, writes the events that answer it as JSON. Exit 0: done. Exit 75: not
now, give it to me again later. Anything else: given up, people have to look at it.

It may be run again for a delivery that it has answered (the worker fell in between): `delivery` is
the same then, and doing the work once is up to the program.
"""

import json
import sys

EX_TEMPFAIL = 75


def answer(delivery):
    """The events that answer a delivery; here: accept what is offered, take notice of the rest."""
    if delivery["kind"] == "offer":
        return [{"kind": "accept"}]
    return []


def main():
    delivery = json.load(sys.stdin)
    try:
        events = answer(delivery)
    except OSError as error:  # our own system does not answer: later
        print(f"{delivery['delivery']}: {error}", file=sys.stderr)
        return EX_TEMPFAIL
    json.dump({"events": events}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
