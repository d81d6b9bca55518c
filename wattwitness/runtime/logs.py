"""Logs: one structlog set-up for every process; JSON in a pipe, coloured lines on a terminal."""

import logging
import sys

import structlog


class _OneLine(logging.Handler):
    """What libraries log, as one structured line of ours instead of a traceback in between."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass it on with the library's name."""
        error = record.exc_info[1] if record.exc_info else None
        more = {"error": repr(error)} if error else {}
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name, **more)


def configure_logging(level: str, process: str) -> None:
    """Send structured logs to stderr.

    Args:
        level: debug, info, warning or error.
        process: bound to every line as `process`.
    """
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(handlers=[_OneLine()], level=logging.WARNING, force=True)
