"""What an offline run's file holds, as JSON: name, project, config, history, summary and artifacts' files. The file is a
log of 32 KiB blocks (LevelDB's format), its records are the wandb package's own protobuf messages."""

import json
import struct
import sys

from wandb.proto import wandb_internal_pb2 as pb

BLOCK = 32768


def records(data):
    # Before the first record of the first block: ":W&B", a magic number, a version.
    assert data[:4] == b":W&B", data[:4]
    at, whole = 7, b""
    while at + 7 <= len(data):
        left = BLOCK - at % BLOCK
        if left < 7:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        whole += data[at + 7 : at + 7 + size]
        at += 7 + size
        # 1: whole, 4: the last part.
        if kind in (1, 4):
            yield whole
            whole = b""


def main():
    found = {"config": {}, "history": [], "summary": {}, "artifacts": {}}
    key = lambda item: item.key or "/".join(item.nested_key)
    for data in records(open(sys.argv[1], "rb").read()):
        record = pb.Record()
        record.ParseFromString(data)
        which = record.WhichOneof("record_type")
        if which == "run":
            found["name"], found["project"] = record.run.display_name, record.run.project
            found["entity"] = record.run.entity
            found["config"].update({key(u): json.loads(u.value_json) for u in record.run.config.update})
        elif which == "history":
            found["history"].append({key(i): json.loads(i.value_json) for i in record.history.item})
        elif which == "summary":
            found["summary"].update({key(u): json.loads(u.value_json) for u in record.summary.update})
        elif which == "request" and record.request.WhichOneof("request_type") == "log_artifact":
            artifact = record.request.log_artifact.artifact
            found["artifacts"][artifact.name] = [entry.path for entry in artifact.manifest.contents]
        elif which == "artifact":
            found["artifacts"][record.artifact.name] = [e.path for e in record.artifact.manifest.contents]
        elif which == "exit":
            found["exit"] = record.exit.exit_code
    print(json.dumps(found))


main()
