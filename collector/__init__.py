"""MQTT to store: decode, commit, acknowledge, and prove delivery, in that order."""
