"""What goes wrong, by intent or by accident: one function per kind, each an entry of the key."""
