"""Hands runs to Weights & Biases. Standard input has one JSON object a line, in this order for each run: "run", then
"step" for each step, then "end". Standard output has one a line, too: "done" for each run, or "error", the last one."""

import json
import os
import sys

# `python -c` looks for modules in the working folder first, where wandb itself writes a folder of that name.
if sys.path and sys.path[0] == "":
    sys.path.pop(0)


def say(**what):
    print(json.dumps(what), flush=True)


def fail(kind, text):
    say(event="error", kind=kind, text=text)
    sys.exit(1)


try:
    import wandb

    if not hasattr(wandb, "init"):
        raise ImportError("wandb is a folder here, not the package")
except ImportError as error:
    fail("missing", str(error))


def begin(message):
    mode = "offline" if message["offline"] else "online"
    # What the package prints is for people at a terminal; what matters is said by us.
    settings = wandb.Settings(silent=True, console="off")
    return wandb.init(
        project=message["project"],
        entity=message["entity"],
        name=message["name"],
        config=message["config"],
        job_type="measurement",
        mode=mode,
        settings=settings,
    )


def end(run, message):
    run.summary.update(message["summary"])
    artifact = wandb.Artifact(message["artifact"], type="results")
    for file in message["files"]:
        artifact.add_file(file["path"], name=file["name"])
    run.log_artifact(artifact)
    folder, url = os.path.dirname(run.dir), run.url
    run.finish()
    say(event="done", name=run.name, folder=folder, url=url)


def main():
    run = None
    for line in sys.stdin:
        message = json.loads(line)
        if message["event"] == "run":
            run = begin(message)
            say(event="begun", name=message["name"])
        elif message["event"] == "step":
            run.log(message["metrics"], step=message["step"])
        else:
            end(run, message)


try:
    main()
except wandb.errors.UsageError as error:
    fail("login" if "API key" in str(error) else "wandb", str(error))
except (wandb.errors.Error, OSError, ValueError) as error:
    fail("wandb", f"{type(error).__name__}: {error}")
