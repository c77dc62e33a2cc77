#!/usr/bin/env python3
"""Runs a program in a pseudo-terminal as a patient user would: waits for what the screen shows, then types.

Usage: terminal.py COLUMNS ROWS STEPS PROGRAM ARGUMENT…
STEPS is a JSON list of [regular expression, keys]: when the screen, as a terminal emulator has it, matches, keys are typed.
Prints a JSON object: the screen at each step and at the end, what was written behind the program's own screen, the bytes of each
read, and the exit status.
"""
import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

import pyte

LIMIT_S = 60
columns, rows = int(sys.argv[1]), int(sys.argv[2])
steps = json.loads(sys.argv[3])
screen = pyte.Screen(columns, rows)
stream = pyte.ByteStream(screen)

pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", COLUMNS=str(columns), LINES=str(rows))
    os.execvp(sys.argv[4], sys.argv[4:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

begun, reads, seen, raw = time.monotonic(), [], [], b""
while True:
    left = begun + LIMIT_S - time.monotonic()
    if left <= 0:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        sys.exit("not over after %d s; waiting for %r on\n%s" % (LIMIT_S, steps[:1], "\n".join(screen.display)))
    if select.select([terminal], [], [], min(left, 1))[0]:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:
            break
        if not data:
            break
        raw += data
        reads.append([round(time.monotonic() - begun, 3), len(data)])
        stream.feed(data)
    text = "\n".join(line.rstrip() for line in screen.display)
    while steps and re.search(steps[0][0], text, re.S):
        seen.append(text)
        os.write(terminal, steps.pop(0)[1].encode())
        # What follows has to be on a screen that knows of the key.
        break
_, status = os.waitpid(pid, 0)
text = "\n".join(line.rstrip() for line in screen.display)
print(json.dumps(dict(
    seen=seen, left=steps, end=text, after=raw.rpartition(b"\x1b[?1049l")[2].decode(errors="replace"), reads=reads, status=os.waitstatus_to_exitcode(status),
    alternate=[raw.count(b"\x1b[?1049h"), raw.count(b"\x1b[?1049l")], clears=raw.count(b"\x1b[2J"))))
