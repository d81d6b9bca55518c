"""What every process needs to run: settings, lifecycle, logs, embedded services, supervision."""
