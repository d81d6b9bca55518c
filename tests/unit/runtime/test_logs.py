import json
import logging
import subprocess
import sys

PROGRAM = """
import logging
from wattwitness.runtime.logs import configure_logging
configure_logging("info", "test")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("library").exception("it happened")
logging.getLogger("library").info("chatter")
"""


def test_what_libraries_log_is_one_structured_line():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    (line,) = done.stderr.splitlines()
    told = json.loads(line)
    assert told["event"] == "it happened"
    assert told["logger"] == "library"
    assert told["process"] == "test"
    assert "ZeroDivisionError" in told["error"]
    assert logging.getLevelName(told["level"].upper()) == logging.ERROR
