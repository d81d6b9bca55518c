"""Look at a running demo from outside, as an acceptance check does: ready, and a lead in time.

Usage: watch_demo.py URL SECONDS
"""

import json
import sys
import time
import urllib.error
import urllib.request


def fetch(url: str) -> tuple[int, bytes]:
    """Status and body; 0 while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def main(url: str, seconds: float) -> int:
    """0 once `/readyz` is 200 and there is a lead; 1 when the time is over."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        ready, _ = fetch(f"{url}/readyz")
        status, body = fetch(f"{url}/api/v1/leads")
        if ready == 200 and status == 200 and json.loads(body):
            leads = json.loads(body)
            print(f"ready with {len(leads)} leads after {time.monotonic() - begun:.0f} s")
            print(leads[0]["reason"])
            return 0
        time.sleep(1)
    print(f"after {seconds:.0f} s: /readyz {ready}, /api/v1/leads {status}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
