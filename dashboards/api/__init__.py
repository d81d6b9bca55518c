"""The JSON API: `/api/v1/…`; one module per noun, records as in the export contract."""
