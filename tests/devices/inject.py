#!/usr/bin/env python3
"""Puts frames on an interface as they are: inject.py INTERFACE < lines of hex. Says how many."""
import socket
import sys

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
    wire.bind((sys.argv[1], 0))
    count = 0
    for line in sys.stdin:
        wire.send(bytes.fromhex(line))
        count += 1
    print(count)
