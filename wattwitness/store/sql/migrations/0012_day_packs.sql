-- What a local day contributes, one row a day instead of a hundred (wattwitness/store/day_packs.py):
-- a conclusion reads all days of an enterprise.

-- The first local day whose readings, and those of the day before, were not dropped: the first one
-- that can be analysed again (states hold over midnight).
CREATE FUNCTION first_analysable(zone text) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT (raw_from AT TIME ZONE zone)::date + 2 FROM retention
                     WHERE isfinite(raw_from)), '-infinity'::date)
$$;

CREATE TABLE fact_days (
    enterprise_key int   NOT NULL,
    day            date  NOT NULL,
    head           text  NOT NULL, -- a line for each kind: [kind, subjects, length or lengths]
    numbers        bytea NOT NULL, -- float32, little-endian
    PRIMARY KEY (enterprise_key, day)
);
ALTER TABLE fact_days ALTER numbers SET STORAGE EXTERNAL; -- half their size is not worth unpacking them

INSERT INTO fact_days (enterprise_key, day, head, numbers)
SELECT enterprise_key, day,
       string_agg(json_build_array(kind, subjects, lengths)::text, E'\n' ORDER BY kind),
       string_agg(numbers, ''::bytea ORDER BY kind)
FROM (
    SELECT enterprise_key, day, kind, json_agg(subject ORDER BY subject) AS subjects,
           json_agg(octet_length(vals) / 4 ORDER BY subject) AS lengths,
           string_agg(vals, ''::bytea ORDER BY subject) AS numbers
    FROM day_facts GROUP BY enterprise_key, day, kind
) shelves
GROUP BY enterprise_key, day;

DROP TABLE day_facts;

CREATE TABLE spell_days (
    enterprise_key int   NOT NULL,
    day            date  NOT NULL,
    head           text  NOT NULL, -- [[kind, subject, count, [name, …]], …]
    numbers        bytea NOT NULL, -- float64, big-endian: from and to [µs since 1970], the sums
    PRIMARY KEY (enterprise_key, day)
);

INSERT INTO spell_days (enterprise_key, day, head, numbers)
SELECT enterprise_key, day,
       json_agg(json_build_array(kind, subject, n, names) ORDER BY kind, subject, names),
       string_agg(numbers, ''::bytea ORDER BY kind, subject, names)
FROM (
    SELECT enterprise_key, day, kind, subject, names, count(*) AS n,
           string_agg(
               float8send((extract(epoch FROM from_at) * 1000000)::bigint::float8)
               || float8send((extract(epoch FROM to_at) * 1000000)::bigint::float8)
               || (SELECT coalesce(string_agg(float8send((sums ->> name)::float8), ''::bytea
                                              ORDER BY place), '')
                   FROM unnest(names) WITH ORDINALITY AS t (name, place)),
               ''::bytea ORDER BY from_at) AS numbers
    FROM (
        SELECT s.*, ARRAY (SELECT name FROM jsonb_object_keys(sums) AS t (name) ORDER BY name COLLATE "C")
                        AS names
        FROM condition_spells s
    ) named
    GROUP BY enterprise_key, day, kind, subject, names
) grouped
GROUP BY enterprise_key, day;

DROP TABLE condition_spells;

-- Minutes per power bin: most bins are empty.
ALTER TABLE day_histograms ADD bins bytea NOT NULL DEFAULT ''; -- uint16, big-endian: bin, minutes, …
UPDATE day_histograms SET bins = (
    SELECT coalesce(string_agg(int2send((place - 1)::int2) || int2send(n::int2), ''::bytea
                               ORDER BY place), '')
    FROM unnest(counts) WITH ORDINALITY AS t (n, place) WHERE n > 0
);
ALTER TABLE day_histograms DROP counts, ALTER bins DROP DEFAULT;
