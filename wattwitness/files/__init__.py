"""Files of the outside: registry sheets, readings files, and the records that are exported."""
