"""Which text encoding a file is in: UTF-8 (with or without BOM) or GB18030, nothing else."""

import codecs

from wattwitness.domain.errors import InputRefusedError

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BINARY_BYTES = bytes(b for b in range(32) if b not in b"\t\n\r\x0c\x1b")


def detect_encoding(head: bytes, source: str, *, whole: bool) -> str:
    """The encoding of a file, judged by its first bytes: `utf-8-sig` or `gb18030`.

    Args:
        head: the first bytes of the file.
        source: the file's name, for the message.
        whole: `head` is the whole file; otherwise its last character may be cut.

    Raises:
        InputRefusedError: UTF-16, a binary file, or neither encoding.
    """
    remedy = "save it as CSV in UTF-8 (or GB18030)"
    if head.startswith(_UTF16_MARKS):
        raise InputRefusedError(f"{source}: the text is UTF-16", remedy)
    if head.translate(None, _BINARY_BYTES) != head:
        raise InputRefusedError(f"{source}: this is not a text file", remedy)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)("strict").decode(head, final=whole)
        except UnicodeDecodeError:
            continue
        return encoding
    raise InputRefusedError(f"{source}: the text is neither UTF-8 nor GB18030", remedy)
