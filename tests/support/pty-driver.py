"""Runs a program under a real pseudo-terminal.

Input: JSON lines, {"write": "keys"}, {"resize": [rows, columns]} or {"end": true}. Output: the terminal's bytes. The
last line on standard error is the exit code.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios

rows, columns, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]


def set_size(fd, size):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[0], size[1], 0, 0))


child, terminal = pty.fork()
if child == 0:
    # Before it starts: a program may read the size only once.
    set_size(0, (rows, columns))
    os.execvp(program[0], program)

pending = b""
reading = [0, terminal]
while terminal in reading:
    ready, _, _ = select.select(reading, [], [])
    if terminal in ready:
        try:
            output = os.read(terminal, 65536)
        except OSError:
            output = b""
        if output:
            os.write(1, output)
        else:
            reading.remove(terminal)
    if 0 in ready:
        piece = os.read(0, 65536)
        if not piece:
            # The test is over: so is what it started.
            reading.remove(0)
            os.kill(child, signal.SIGHUP)
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "write" in order:
                os.write(terminal, order["write"].encode())
            if "resize" in order:
                set_size(terminal, order["resize"])

_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), file=sys.stderr)
