"""One HTTP request of src/data/http.rs, whose fields stand in the first argument as JSON.

`head` receives what the server answered before anything is written. The body goes to `body` if the answer is whole
(200) or what was asked for (206 that begins at `offset`); to `state`, then, whose answer it is. Anything else leaves
both as they are. Exit code 1 with a line on stderr: no answer, or one that broke off.
"""

import json
import os
import shutil
import sys
import urllib.error
import urllib.request

MOST_OF_AN_ERROR = 4096


def opened(job):
    body = job.get("send")
    request = urllib.request.Request(
        job["address"],
        data=None if body is None else body.encode(),
        headers=job["headers"],
        method=job["method"],
    )
    try:
        return urllib.request.urlopen(request, timeout=job["timeout"])
    except urllib.error.HTTPError as error:
        return error


def written(path, value):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


def begins(headers):
    """Where the part of a 206 begins; None if it does not say so."""
    unit, _, rest = headers.get("content-range", "").partition(" ")
    begin = rest.partition("-")[0]
    return int(begin) if unit == "bytes" and begin.isdigit() else None


def main():
    job = json.loads(sys.argv[1])
    with opened(job) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        head = {"asked": job["address"], "address": answer.geturl(), "status": answer.getcode(), "headers": headers}
        offset = job["offset"] if answer.getcode() == 206 else 0
        whole = answer.getcode() == 200 or (answer.getcode() == 206 and begins(headers) == job["offset"])
        length = headers.get("content-length", "")
        coming = int(length) if length.isdigit() else 0
        free = shutil.disk_usage(os.path.dirname(job["body"])).free
        kept = 0
        if os.path.exists(job["body"]):
            kept = os.path.getsize(job["body"]) - offset
        if whole and coming > free + kept:
            head["needed"], head["free"] = coming, free + kept
            whole = False
        elif not whole:
            head["said"] = answer.read(MOST_OF_AN_ERROR).decode("utf-8", "replace")
        written(job["head"], head)
        if not whole:
            return
        # What is kept of another answer goes before the new one is named.
        with open(job["body"], "r+b" if os.path.exists(job["body"]) else "w+b", buffering=0) as file:
            file.truncate(offset)
            file.seek(offset)
            written(job["state"], head)
            # What there is, not a full buffer: a connection that dies must not take it along. Before Python 3.12 read1 does
            # not know where the body ends.
            got = 0
            while not length.isdigit() or got < coming:
                part = answer.read1(min(1 << 18, coming - got) if length.isdigit() else 1 << 18)
                if not part:
                    break
                file.write(part)
                got += len(part)
    if length.isdigit() and got < coming:
        sys.exit(f"the answer broke off after {got} of {coming} bytes")


try:
    main()
except Exception as error:
    reason = getattr(error, "reason", None)
    sys.exit(f"{type(error).__name__}: {error}" if reason is None else f"{type(reason).__name__}: {reason}")
