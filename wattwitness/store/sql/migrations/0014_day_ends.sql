-- How each of the newest days ended (analytics/day_end.py): the day after it is judged from this, and
-- does not read the day again. A day without one is read again, with the same result.
CREATE TABLE day_ends (
    enterprise_key int   NOT NULL,
    day            date  NOT NULL,
    head           text  NOT NULL, -- a line: [kind, circuits, lengths]
    numbers        bytea NOT NULL, -- float32, little-endian [kW]
    PRIMARY KEY (enterprise_key, day)
);
