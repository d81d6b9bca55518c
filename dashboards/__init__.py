"""What people see: pages in two languages, the JSON API, the live stream. Reads the store only."""
