"""The assessment of an alert in the formats in which it leaves the program."""

import json
from enum import StrEnum
from zoneinfo import ZoneInfo

from wattwitness.domain.assessment import Assessment
from wattwitness.files.assessment_paper import paper_of
from wattwitness.files.assessment_pdf import assessment_pdf
from wattwitness.files.assessment_records import assessment_record
from wattwitness.files.assessment_workbook import assessment_workbook


class AssessmentFormat(StrEnum):
    """File formats of an assessment."""

    PDF = "pdf"
    XLSX = "xlsx"
    JSON = "json"


MEDIA = {
    AssessmentFormat.PDF: "application/pdf",
    AssessmentFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    AssessmentFormat.JSON: "application/json",
}
"""Their media types."""


def assessment_bytes(
    it: Assessment, file_format: AssessmentFormat, language: str, zone: ZoneInfo
) -> bytes:
    """A file; `language` is `zh` or `en` (JSON has codes and no words), times in `zone`.

    Raises:
        SetupError: PDF: no font with Chinese characters is installed.
    """
    if file_format is AssessmentFormat.PDF:
        return assessment_pdf(it, paper_of(it, language, zone))
    if file_format is AssessmentFormat.XLSX:
        return assessment_workbook(it, language, zone)
    text = json.dumps(assessment_record(it), ensure_ascii=False, indent=2)
    return f"{text}\n".encode()
