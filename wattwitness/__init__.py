"""What the WattWitness processes share: the domain, the wire, the store and the runtime."""

__version__ = "0.1.0"
