"""Pure values: no I/O, no clock, no settings. Time is UTC-aware or integer µs since 1970."""
