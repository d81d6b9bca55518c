# Two commands for a newcomer: `make demo` and `make test`. Both do all the set-up.
.PHONY: help demo test check clean

help:
	@echo "make demo    everything running with a small simulated city; ARGS=\"--enterprises 10\" passes options"
	@echo "make test    checks and tests; ARGS=\"-k sequence\" passes options to pytest"
	@echo "make check   checks only (ruff, mypy, import contracts, structure)"
	@echo "make clean   removes .venv and caches"

demo:
	@scripts/setup runtime
	@exec .venv/bin/wattwitness demo $(ARGS)

test: check
	@scripts/test $(ARGS)

check:
	@scripts/setup dev
	@scripts/check

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
